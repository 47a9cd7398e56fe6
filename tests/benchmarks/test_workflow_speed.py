"""What the workflow costs beside the work: planning, looking, starting, and the training loop's own share.

Commands are timed by the CPU seconds of the process and its children; wall seconds stand beside them. Each is the
least of a few repetitions: what comes on top is other processes' doing. Where a goal in seconds is near, yardsticks
run in turn with the command, and the median of the ratios says what the machine of the day does not.
"""

import copy
import math
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tests.benchmarks.timing import cpu_seconds, ratios_in_turn
from tests.workflow.dvc_project import clone, commit, ok, set_remote
from tests.workflow.running import ROOT, TINY, jobs, run, write_config
from torch import Tensor, nn

from borderlab.spec import RecipeSpec, ScheduleSpec
from borderlab.training.checkpoint import save_checkpoint
from borderlab.training.loop import Trainer
from borderlab.workflow import Workflow

REPETITIONS = 3
N_RUNS = 2_000
SNAKEMAKE = ("snakemake", "--snakefile", str(ROOT / "Snakefile"), "--workflow-profile", str(ROOT / "profiles/default"))
PAPER = ROOT / "config" / "paper.yaml"


def timed(benchmark: Any, call: Callable[[], Any], repetitions: int = REPETITIONS) -> dict[str, float]:
    """Least CPU and wall seconds of a call that starts processes."""
    seconds: dict[str, list[float]] = {"cpu_s": [], "wall_s": []}

    def once() -> None:
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        call()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds["wall_s"].append(time.perf_counter() - begun)
        seconds["cpu_s"].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    benchmark.pedantic(once, rounds=repetitions, warmup_rounds=min(1, repetitions - 1))
    least = {clock: round(min(values), 3) for clock, values in seconds.items()}
    benchmark.extra_info.update(least)
    return least


def beside(benchmark: Any, folder: Path, commands: dict[str, tuple[str, ...]]) -> float:
    """Least CPU seconds of the last of `commands`, run in turn with the others, its yardsticks; the first is the base.

    The least of each and the median ratios to the base are kept.
    """
    least = dict.fromkeys(commands, math.inf)

    def clock(name: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = run(*commands[name], folder=folder)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 0, done.stderr[-3000:]
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        least[name] = min(least[name], seconds)
        return seconds

    clocks = {name: partial(clock, name) for name in commands}
    found: dict[str, Any] = {}
    benchmark.pedantic(lambda: found.update(ratios_in_turn(clocks, REPETITIONS)), rounds=1, warmup_rounds=0)
    benchmark.extra_info.update(cpu_s={name: round(seconds, 3) for name, seconds in least.items()}, ratios=found)
    return least[list(commands)[-1]]


def check(benchmark: Any, found: float, limit: float) -> None:
    """Keep the limit beside what was found, and fail above it."""
    benchmark.extra_info.update({"found": round(found, 4), "limit": round(limit, 4)})
    assert found <= limit, benchmark.extra_info


@pytest.fixture(autouse=True)
def _only_on_demand(benchmark: Any) -> None:
    if benchmark.disabled:
        pytest.skip("takes a minute: `make benchmark` runs it")


# As many jobs of one rule with one output each: what Snakemake takes for itself.
PLAIN = """
rule all:
    input:
        expand("made/{{number}}.txt", number=range({n_made})),


rule make:
    output:
        "made/{{number}}.txt",
    shell:
        "touch {{output}}"
"""


@pytest.mark.benchmark(group="workflow")
@pytest.mark.parametrize("options", [(), ("--quiet",)], ids=["every job told", "counts alone"])
def test_dry_run_of_the_paper(benchmark: Any, tmp_path: Path, options: tuple[str, ...]) -> None:
    paper = (*SNAKEMAKE, "-n", *options, "--configfile", str(PAPER))
    n_jobs = sum(
        jobs(run(*SNAKEMAKE, "-n", "--quiet", "rules", "--configfile", str(PAPER), folder=tmp_path).stdout).values()
    )
    plain = tmp_path / "Plainfile"
    plain.write_text(PLAIN.format(n_made=n_jobs - 1))
    benchmark.extra_info["jobs"] = n_jobs
    commands = {
        "version": ("snakemake", "--version"),
        "plain": ("snakemake", "--snakefile", str(plain), "-n", *options),
        "paper": paper,
    }
    check(benchmark, beside(benchmark, tmp_path, commands), 1.5 + 0.0006 * n_jobs)


# Sixty jobs wait for a long one, after 120 short ones have ended: what does the controller do meanwhile?
LONG_JOB = """
include: {snakefile!r}


rule waited:
    input:
        expand("after/{{number}}", number=range(60)),


rule short:
    output:
        touch("before/{{number}}"),


rule long:
    input:
        expand("before/{{number}}", number=range(120)),
    output:
        touch("long"),
    priority: 1
    shell:
        "sleep 30"


rule after:
    input:
        expand("before/{{number}}", number=range(120)),
    output:
        touch("after/{{number}}"),
"""


@pytest.mark.benchmark(group="workflow")
def test_controller_while_a_long_job_runs(benchmark: Any, tmp_path: Path) -> None:
    (tmp_path / "Longfile").write_text(LONG_JOB.format(snakefile=str(ROOT / "Snakefile")))
    write_config(tmp_path, TINY)
    command = ("snakemake", "long", "waited", "--snakefile", "Longfile", "--cores", "1", "--forceall", "--quiet", "all")
    asked = ("--max-jobs-per-timespan", "101/1s")  # another limit than Snakemake's own, which this workflow drops
    commands = {
        "with a limit": (*command, *asked, "--configfile", "tiny.yaml"),
        "ours": (*command, "--configfile", "tiny.yaml"),
    }
    beside(benchmark, tmp_path, commands)
    check(benchmark, benchmark.extra_info["ratios"]["ours"]["median"], 1.0)


# Planning with and without the hash of each specification; the second plan finds all code hashed already.
HASHING = """
import sys, time
from pathlib import Path
from borderlab import identity
from borderlab.workflow import Workflow
spent = 0.0
def timed(function):
    def call(*arguments):
        global spent
        begun = time.process_time()
        try:
            return function(*arguments)
        finally:
            spent += time.process_time() - begun
    return call
import borderlab.plan
borderlab.plan.identity_of = timed(identity.identity_of)
borderlab.plan.result_hash = timed(identity.result_hash)
identity.Identity.short_hash = property(timed(identity.Identity.short_hash.fget))
assert Workflow.from_file(Path(sys.argv[1])).plan.experiment_id
print(spent)
"""


@pytest.mark.benchmark(group="workflow")
def test_hashing_within_the_dry_run_of_the_paper(benchmark: Any, tmp_path: Path) -> None:
    dry = (*SNAKEMAKE, "-n", "--quiet", "rules", "--configfile", str(PAPER))
    whole = timed(benchmark, lambda: run(*dry, folder=tmp_path))["cpu_s"]
    done = run(sys.executable, "-c", HASHING, str(PAPER), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    hashing = float(done.stdout)
    benchmark.extra_info["hashing_cpu_s"] = round(hashing, 3)
    check(benchmark, hashing / whole, 0.10)


@pytest.mark.benchmark(group="workflow")
@pytest.mark.parametrize("is_published", [True, False])
def test_finished_runs_are_looked_at(
    benchmark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_published: bool
) -> None:
    # A report's name counts the papers of the folder at hand: here, as below, there are none.
    monkeypatch.chdir(tmp_path)
    config = write_config(tmp_path, _many_runs())
    workflow = Workflow.from_file(tmp_path / config)
    assert len(workflow.plan.runs) == N_RUNS
    finished = [path for run in workflow.plan.runs for path in workflow.paths.run_files(run)]
    finished += workflow.inputs_of_report() + (workflow.targets() if is_published else [])
    for name in finished:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    dry = (*SNAKEMAKE, "-n", "--quiet", "rules", "--configfile", config)
    planned = jobs(run(*dry, folder=tmp_path).stdout)
    assert sum(planned.values()) == (0 if is_published else 4)
    check(benchmark, timed(benchmark, lambda: run(*dry, folder=tmp_path))["cpu_s"], 5.0)


def _many_runs() -> dict[str, object]:
    values: dict[str, Any] = copy.deepcopy(TINY)
    values["studies"][0].update(padding_modes=["zeros", "partial"], propagation=["none"], seeds=[*range(N_RUNS // 2)])
    values.update(propagation_quality=[], probes=[])
    values.pop("census")
    return values


@pytest.mark.benchmark(group="workflow")
def test_dvc_repro_of_an_unchanged_tree(benchmark: Any, tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    stages = folder / "dvc.yaml"
    stages.write_text(stages.read_text().replace("cmd: snakemake --configfile config/smoke.yaml", "cmd: 'true'"))
    for index in range(600):
        place = folder / "artifacts" / "smoke" / "runs" / f"{index % 40}" / f"{index}.txt"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(str(index))
    for name in ("tables", "parquet"):
        (folder / "results" / "smoke" / name).mkdir(parents=True, exist_ok=True)
    for name in ("report.html", "metrics.json", "tables/runs.csv", "parquet/runs.parquet"):
        (folder / "results" / "smoke" / name).write_text("{}")
    assert run("dvc", "repro", "smoke", folder=folder).returncode == 0
    again = run("dvc", "repro", "smoke", folder=folder)
    assert "didn't change, skipping" in again.stdout, again.stderr
    check(benchmark, timed(benchmark, lambda: run("dvc", "repro", "smoke", folder=folder))["cpu_s"], 2.0)


@pytest.mark.benchmark(group="workflow")
def test_pull_and_report_of_smoke_in_a_fresh_clone(benchmark: Any, tmp_path: Path) -> None:
    if not ok("borderlab", "runs", folder=ROOT).splitlines()[-1].endswith(" here"):
        pytest.skip("the smoke results are not in this checkout: run `snakemake` first")
    project, colleague = clone(ROOT, tmp_path / "project"), tmp_path / "colleague"
    shutil.copytree(ROOT / "artifacts" / "smoke", project / "artifacts" / "smoke")
    ok("dvc", "repro", "smoke", folder=project)
    commit(project, "finished")
    set_remote(project, str(tmp_path / "remote"))
    ok("dvc", "push", "smoke", folder=project)
    said = []

    def pull_and_report() -> None:
        clone(project, colleague)
        set_remote(colleague, str(tmp_path / "remote"))
        ok("dvc", "pull", "smoke", folder=colleague)
        # Tables and page are made again, from the pulled runs.
        shutil.rmtree(colleague / "artifacts" / "smoke" / "reports")
        shutil.rmtree(colleague / "results" / "smoke")
        said.append(run("snakemake", folder=colleague))

    clocks = timed(benchmark, pull_and_report, repetitions=1)
    assert said[0].returncode == 0, said[0].stderr[-3000:]
    assert set(jobs(said[0].stderr)) == {"all", "tabulate_results", "report_experiment", "publish_results"}
    assert (colleague / "results" / "smoke" / "report.html").is_file()
    check(benchmark, clocks["cpu_s"], 30.0)


# The command imports what trains, so it is patched behind that import.
FIRST_STEP = """
import sys
from borderlab import cli
from borderlab.cli import steps
trainer_for = steps._trainer_for
def first_step(self, batch, progress):
    sys.stdout.flush()
    raise SystemExit(0)
def trainer_that_stops(resources):
    train = trainer_for(resources)
    from borderlab.training.loop import Trainer
    Trainer._step = first_step
    return train
steps._trainer_for = trainer_that_stops
sys.argv = ["borderlab", *sys.argv[1:]]
cli.main()
"""
# torch's optimisers import its compiler: no training with them starts sooner.
OPTIMISER = "import torch; torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))])"


@pytest.mark.benchmark(group="workflow")
def test_from_the_start_of_a_process_to_its_first_step(benchmark: Any, tmp_path: Path) -> None:
    smoke = ROOT / "config" / "smoke.yaml"
    name = next(run for run in Workflow.from_file(smoke).plan.runs if run.startswith("digits/"))
    command = (sys.executable, "-c", FIRST_STEP, "train", name, "--config", str(smoke))
    for split in ("train", "val"):
        fetched = run("borderlab", "fetch", "digits", "--split", split, "--config", str(smoke), folder=tmp_path)
        assert fetched.returncode == 0, fetched.stderr
    commands = {
        "torch": (sys.executable, "-c", "import torch"),
        "torch and its optimiser": (sys.executable, "-c", OPTIMISER),
        "first step": command,
    }
    check(benchmark, beside(benchmark, tmp_path, commands), 4.0)


class Batches:
    """The same few batches in each epoch."""

    def __init__(self, n: int) -> None:
        generator = torch.Generator().manual_seed(0)
        images = torch.randn(n, 16, 3, 64, 64, generator=generator)
        self.batches = [Batch(image, torch.arange(16) % 10) for image in images]

    def set_epoch(self, epoch: int, first_batch: int = 0) -> None: ...

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Any:
        return iter(self.batches)


class Batch:
    def __init__(self, image: Tensor, target: Tensor) -> None:
        self.image, self.target = image, target


def _network() -> nn.Module:
    import borderlab.torchvision_compat  # noqa: F401  isort: skip  (must come before timm)
    import timm

    torch.manual_seed(0)
    network: nn.Module = timm.create_model("regnetx_002", num_classes=10)
    return network


@pytest.mark.benchmark(group="workflow")
def test_training_loop_beside_a_bare_loop(benchmark: Any, tmp_path: Path) -> None:
    """Side by side, what is asked lies within the noise: so what the loop adds to a step is taken from a model whose
    steps cost nothing, and compared with the step of a real network.
    """
    torch.set_num_threads(1)
    recipe = RecipeSpec(epochs=1, batch_size=16, lr=0.01, schedule=ScheduleSpec(name="constant"))
    few, many = Batches(25), Batches(10)
    many.batches *= 100

    def bare(model: nn.Module, batches: Batches) -> None:
        optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
        model.train()
        for batch in batches:
            optimiser.zero_grad(set_to_none=True)
            F.cross_entropy(model(batch.image), batch.target).backward()
            optimiser.step()

    def ours(model: nn.Module, batches: Batches) -> None:
        trainer = Trainer(
            model,
            lambda logits, target, progress: F.cross_entropy(logits, target),
            recipe,
            torch.device("cpu"),
            tmp_path / "checkpoints",
            "benchmark",
            lambda line: None,
        )
        trainer._save = lambda place: None  # type: ignore[method-assign]
        trainer.fit(batches, validate=lambda: 0.0)

    def nothing() -> nn.Module:
        return nn.Sequential(nn.AvgPool2d(32), nn.Flatten(), nn.Linear(12, 10))

    least: dict[str, float] = {}

    def clock(name: str, way: Callable[[nn.Module, Batches], None], make: Callable[[], nn.Module]) -> float:
        model, batches = make(), few if make is _network else many
        seconds = cpu_seconds(lambda: way(model, batches)) / len(batches)
        least[name] = min(least.get(name, math.inf), seconds)
        return seconds

    ways = {
        "bare": (bare, _network),
        "ours": (ours, _network),
        "bare again": (bare, _network),
        "bare, no work": (bare, nothing),
        "ours, no work": (ours, nothing),
    }
    clocks = {name: partial(clock, name, *way) for name, way in ways.items()}
    found: dict[str, dict[str, float]] = {}
    benchmark.pedantic(lambda: found.update(ratios_in_turn(clocks, 9)), rounds=1, warmup_rounds=0)
    benchmark.extra_info.update(ratios=found, step_us={name: round(1e6 * least[name], 1) for name in least})
    check(benchmark, 1 + (least["ours, no work"] - least["bare, no work"]) / least["bare"], 1.03)


@pytest.mark.benchmark(group="workflow")
def test_checkpoint_beside_an_epoch_of_a_minute(benchmark: Any, tmp_path: Path) -> None:
    model = _network()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    model(torch.randn(2, 3, 64, 64)).sum().backward()
    optimiser.step()
    state = {"model": model.state_dict(), "optimiser": optimiser.state_dict()}
    steps = iter(range(1_000))
    benchmark(lambda: save_checkpoint(tmp_path, next(steps), state))
    check(benchmark, benchmark.stats.stats.median / 60, 0.02)
