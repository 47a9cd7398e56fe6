"""The prepared check itself, where there is no GPU: its arithmetic, its ending, and its part of the grid on a CPU."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from tests.gpu import grid
from tests.gpu.__main__ import ROOT, Step, check, steps
from tests.gpu.photographs import make_photographs


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_it_says_so_and_fails(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.gpu", str(tmp_path / "out")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "gpu-check: torch sees no GPU here: nothing was checked"
    assert not (tmp_path / "out").exists()


def python(name: str, program: str, seconds: float = 60) -> Step:
    return Step(name, (sys.executable, "-c", program), seconds)


@pytest.mark.slow
def test_steps_pass_fail_and_run_out_of_time_each_by_itself(tmp_path: Path) -> None:
    chosen = [
        python("good", "print('found 7')"),
        python("bad", "raise SystemExit(3)"),
        python("slow", "import time; print('begun', flush=True); time.sleep(600)", seconds=15),
    ]
    # As in the background of a shell, which has its children ignore SIGINT.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        done = check(tmp_path, chosen, 5.0, "a device", lambda line: None)
    finally:
        signal.signal(signal.SIGINT, before)
    assert [step["outcome"] for step in done.values()] == ["passed", "failed with 3", "out of time"]
    # It was asked to end, not killed: pytest would have written down what it measured.
    assert done["slow"]["last_lines"][0] == "begun"
    assert done["slow"]["last_lines"][-1] == "KeyboardInterrupt"
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["device"], summary["versions"]["torch"]) == ("a device", torch.__version__)
    assert summary["steps"] == done
    assert (tmp_path / "good.log").read_text() == "found 7\n"


def test_nothing_is_begun_after_the_end(tmp_path: Path) -> None:
    done = check(tmp_path, [python("late", "open('made', 'w')")], 0.0, "a device", lambda line: None)
    assert done["late"]["outcome"] == "out of time"
    assert not (tmp_path / "late.log").exists()


@pytest.mark.slow
def test_steps_name_files_and_tests_that_are_there(tmp_path: Path) -> None:
    planned = steps(tmp_path, None, 6)
    assert [step.name for step in planned] == ["tests", "grid", "padding", "training_step", "compiled"]
    for step in planned:
        assert all((ROOT / word).exists() for word in step.command if word.startswith("tests/"))
    # What is left out of one step is done in another: every GPU measurement is chosen by one of them.
    chosen = set()
    for step in planned:
        if "--benchmark-only" in step.command:
            command = [word for word in step.command if not word.startswith("--benchmark-json")]
            # A pytest of its own, whatever the one around it was told.
            own = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "BORDERLAB_"))}
            own["BORDERLAB_CHECK_SHAPES"] = "0"
            done = subprocess.run(
                [*command, "--collect-only"], cwd=ROOT, env=own, capture_output=True, text=True, check=False
            )
            listed = done.stdout
            chosen |= {line for line in listed.splitlines() if "::" in line}
    assert sum("test_network_on_a_gpu" in name for name in chosen) == 5
    assert sum("test_layer_on_a_gpu" in name for name in chosen) == 2
    assert sum("test_compiled_network_on_a_gpu" in name for name in chosen) == 2
    assert sum("test_training_step_on_a_gpu" in name for name in chosen) == 5


def test_the_whole_grid_by_hand() -> None:
    """Five networks of 20 runs; 10 epochs of 2 s and 10 s beside them, 5 s for each evaluation, ten jobs at a time."""
    networks = ("resnet18", "resnet50", "vgg16_bn", "tf_efficientnet_lite0", "mobilenetv3_large_100")
    rows = [{"backbone": name, "epoch_s": 2.0, "besides_s": 10.0} for name in networks]
    found = grid.whole_grid(rows, [4.0, 6.0], 10)
    assert found["whole_grid_minutes"] == pytest.approx(100 * (30 + 5) / 10 / 60, abs=0.05)
    assert found["fits"] is True
    slower = grid.whole_grid([row | {"epoch_s": 20.0} for row in rows], [5.0], 10)
    assert slower["fits"] is False
    part = grid.whole_grid([*rows[1:], {"backbone": "resnet18", "failure": "ran out of time"}], [5.0], 10)
    assert (part["without"], part["fits"]) == (["resnet18"], None)


@pytest.mark.slow
def test_the_part_of_the_grid_runs_on_a_cpu_with_small_networks(tmp_path: Path) -> None:
    photographs = tmp_path / "photographs"
    make_photographs(photographs, {"train": 40, "val": 20}, side=48)
    config = grid.part_of_the_grid(tmp_path, photographs)
    values = yaml.safe_load(config.read_text())
    values["recipes"]["scratch"] |= {
        "batch_size": 8,
        "precision": "float32",
        "augment": {"crop": [32, 32]},
        "evaluation": {"resize": 36, "crop": [32, 32]},
    }
    values["studies"] = [values["studies"][1] | {"backbones": ["test_resnet"], "resources": {"workers": 1}}]
    config.write_text(yaml.safe_dump(values))
    found = grid.measure(config, 2, 500, lambda line: None)
    assert found["failures"] == []
    assert [row["backbone"] for row in found["trainings"]] == ["test_resnet"] * 2
    assert all(row["epoch_s"] > 0 and row["besides_s"] > 0 for row in found["trainings"])
    assert len(found["evaluations_s"]) == 2
    # Decoded once, for all runs.
    assert sorted(path.name for path in (photographs / "decoded").iterdir() if path.is_dir()) == ["train", "val"]


def test_jobs_that_fail_or_have_no_time_are_told(tmp_path: Path) -> None:
    make_photographs(tmp_path / "photographs", {"train": 1}, side=48)
    config = grid.part_of_the_grid(tmp_path, tmp_path / "photographs")
    (failed,) = grid.run_jobs("train", ["no/run"], config, 1, time.monotonic() + 120)
    assert "no run 'no/run' in this experiment" in str(failed.failure)
    assert grid.run_jobs("train", ["no/run"], config, 1, time.monotonic() - 1) == []
