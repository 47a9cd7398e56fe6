"""A short part of `config/imagenette_gpu.yaml`, run as the workflow runs it, and what the whole would take.

    python -m tests.gpu.grid RESULT.json [--photographs FOLDER] [--jobs 6] [--seconds 240]

One seed of each network with zeros and with partial padding, for three epochs, several processes at a time: the same
commands as the rules of the workflow call, without Snakemake. Of each training it takes seconds per epoch, while
others run beside it, and what comes on top; of evaluations the whole. The whole grid is the sum over all its jobs
divided by the jobs at a time.

FOLDER holds Imagenette as fetched, `train` and `val`: its 96-pixel copy or its 160-pixel archive. Without it noise of
the same sizes stands in, which takes as long and teaches nothing.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.gpu.photographs import make_photographs

from borderlab.config.loading import load_config
from borderlab.plan import make_plan
from borderlab.training.inputs import RunInputs
from borderlab.training.resident_sources import decoded_split
from borderlab.workflow import Workflow

ROOT = Path(__file__).resolve().parents[2]
GRID = ROOT / "config" / "imagenette_gpu.yaml"
EPOCHS, GOAL_MINUTES = 3, 25
COMMAND = "import sys; from borderlab.cli import main; main()"


@dataclass(frozen=True)
class Job:
    """One command that ended: how long it took, and whether it did what it should."""

    name: str
    seconds: float
    failure: str | None


def part_of_the_grid(folder: Path, photographs: Path | None) -> Path:
    """Write the configuration of the part to `folder`, and images if there are none."""
    values = yaml.safe_load(GRID.read_text(encoding="utf-8"))
    values["seeds"] = [0]
    values["recipes"]["scratch"]["epochs"] = EPOCHS
    values["probes"] = []
    for study in values["studies"]:
        study["padding_modes"] = ["zeros", "partial"]
    if photographs is None:
        photographs = folder / "photographs"
        make_photographs(photographs)
    first = next(photographs.glob("train/*/*"))
    values["datasets"]["imagenette"] = {
        "options": {"size": "96" if first.suffix == ".jpg" else "160"},
        "folder": str(photographs.resolve()),
    }
    path = folder / "part.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def run_jobs(step: str, names: Iterable[str], config: Path, at_a_time: int, deadline: float) -> list[Job]:
    """Run `borderlab STEP NAME` for all names, some at a time; what the deadline leaves no time for is left out."""

    def run(name: str) -> Job | None:
        if time.monotonic() > deadline:
            return None
        begun = time.monotonic()
        command = [sys.executable, "-c", COMMAND, step, name, "--config", config.name]
        try:
            done = subprocess.run(
                command,
                cwd=config.parent,
                env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])},
                capture_output=True,
                text=True,
                timeout=max(1.0, deadline - begun),
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Job(name, time.monotonic() - begun, "ran out of time")
        failure = None if done.returncode == 0 else done.stderr[-2000:]
        return Job(name, time.monotonic() - begun, failure)

    with ThreadPoolExecutor(at_a_time) as pool:
        return [job for job in pool.map(run, names) if job is not None]


def measure(config: Path, at_a_time: int, seconds: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Run the part in its folder, and tell what it took and what the whole grid would take."""
    deadline = time.monotonic() + seconds
    workflow = Workflow.from_file(config)
    names = list(workflow.plan.runs)
    decoding_seconds = _decode(workflow)
    begun = time.monotonic()
    trained = run_jobs("train", names, config, at_a_time, deadline)
    training_seconds = time.monotonic() - begun
    finished = [job.name for job in trained if job.failure is None]
    # As many as run at a time: enough for a mean.
    evaluated = run_jobs("evaluate", finished[:at_a_time], config, at_a_time, deadline)
    rows = []
    for job in trained:
        backbone = workflow.plan.runs[job.name].spec.backbone
        rows.append({"run": job.name, "backbone": backbone, "wall_s": round(job.seconds, 2), "failure": job.failure})
        if job.failure is None:
            rows[-1] |= _of_curve(config.parent / workflow.paths.run_folder(job.name) / "curve.csv", job.seconds)
        say(str(rows[-1]))
    found = {
        "jobs_at_a_time": at_a_time,
        "decoding_s": decoding_seconds,
        "training_wall_s": round(training_seconds, 1),
        "trainings": rows,
        "evaluations_s": [round(job.seconds, 2) for job in evaluated if job.failure is None],
        "failures": [job.failure for job in (*trained, *evaluated) if job.failure is not None],
        "left_out": len(names) - len(trained),
    }
    return found | whole_grid(rows, found["evaluations_s"], at_a_time)


def _decode(workflow: Workflow) -> float:
    """Seconds of decoding both splits, which the first run would do for all others."""
    begun = time.monotonic()
    inputs = RunInputs(workflow.plan.datasets["imagenette"], workflow.plan.data_folder("imagenette"), {})
    for split in ("train", "val"):
        decoded_split(inputs, split)
    return round(time.monotonic() - begun, 1)


def _of_curve(curve: Path, wall_seconds: float) -> dict[str, float]:
    with curve.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    seconds = [float(row["seconds"]) for row in rows]
    # The last one: between the first two a checkpoint may have been written.
    epoch = seconds[-1] - seconds[-2]
    return {
        "epoch_s": round(epoch, 3),
        "besides_s": round(wall_seconds - epoch * len(seconds), 2),
        "last_top1_pct": float(rows[-1]["metric_pct"]),
    }


def whole_grid(trainings: list[dict[str, Any]], evaluations: list[float], at_a_time: int) -> dict[str, Any]:
    """Minutes of all jobs of `GRID` from those of a part, networks that the part lacks left out and named.

    A training takes what stands beside its epochs once, and an epoch's seconds for each of its epochs.
    """
    runs = [planned.spec for planned in make_plan(load_config(GRID)).runs.values()]
    seconds, missing = 0.0, set()
    for spec in runs:
        own = [row for row in trainings if row["backbone"] == spec.backbone and "epoch_s" in row]
        if not own:
            missing.add(spec.backbone)
            continue
        each = [row["besides_s"] + row["epoch_s"] * spec.recipe.epochs for row in own]
        seconds += statistics.mean(each)
    evaluating = len(runs) * statistics.mean(evaluations) if evaluations else 0.0
    minutes = (seconds + evaluating) / at_a_time / 60
    complete = not missing and bool(evaluations)
    return {
        "whole_grid_minutes": round(minutes, 1),
        "of_which_evaluations": round(evaluating / at_a_time / 60, 1),
        "without": sorted(missing),
        "goal_minutes": GOAL_MINUTES,
        "fits": minutes <= GOAL_MINUTES if complete else None,
        "not_counted": "probes, tables and report",
    }


def main(arguments: list[str]) -> int:
    """Measure, write the result, and fail if a job failed or nothing ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu.grid")
    parser.add_argument("result", type=Path)
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--jobs", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=240)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = part_of_the_grid(folder, chosen.photographs)
        found = measure(config, chosen.jobs, chosen.seconds, _say)
    found["images"] = "noise" if chosen.photographs is None else str(chosen.photographs.name)
    chosen.result.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    _say(json.dumps({key: found[key] for key in ("whole_grid_minutes", "fits", "failures", "left_out")}))
    return 0 if found["trainings"] and not found["failures"] else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
