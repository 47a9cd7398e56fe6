"""A report of 2,000 runs: CPU seconds from artifacts to page, and the size of the page."""

from pathlib import Path
from typing import Any

import pytest
from tests.benchmarks.timing import cpu_seconds
from tests.report.conftest import PADDING_GAIN, FakeExperiment, build, run_spec

from borderlab.report.page import MAX_PAGE_BYTES

N_SEEDS, N_NETWORKS = 20, 10
LIMIT_S = 60


@pytest.mark.benchmark(group="report")
def test_report_of_two_thousand_runs(benchmark: Any, tmp_path: Path, repository: Path) -> None:
    if benchmark.disabled:
        pytest.skip("takes a minute: `make benchmark` runs it")
    experiment = FakeExperiment(tmp_path / "artifacts", papers=repository / "papers")
    for seed in range(N_SEEDS):
        experiment.pictures = seed == 0
        for dataset in ("digits", "streets"):
            for network in range(N_NETWORKS):
                for mode, gain in PADDING_GAIN.items():
                    spec = run_spec(dataset, f"network{network}", padding_mode=mode, seed=seed)
                    experiment.add_run(spec, 50 + seed / 10 + gain)
    assert len(experiment.runs) == 2_000
    seconds = benchmark.pedantic(cpu_seconds, args=(lambda: build(experiment, tmp_path / "report"),), rounds=1)
    size = (tmp_path / "report" / "report.html").stat().st_size
    benchmark.extra_info.update({"found": round(seconds, 1), "limit": LIMIT_S, "page_mb": round(size / 1e6, 1)})
    assert seconds <= LIMIT_S
    assert size < MAX_PAGE_BYTES
