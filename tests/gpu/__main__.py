"""Every check that needs a GPU, within ten minutes: `python -m tests.gpu FOLDER` (`make gpu-check OUT=FOLDER`).

    tests           tests/gpu                                   padding, resident images and whole runs on the GPU
    grid            tests/gpu/grid.py                           part of config/imagenette_gpu.yaml, and what all takes
    padding         tests/benchmarks/test_padding_speed_gpu.py  what padding costs, eager
    training_step   tests/benchmarks/test_training_step_speed_gpu.py
    compiled        tests/benchmarks/test_padding_speed_gpu.py  the same, zeros and partial, compiled

Each leaves FOLDER/<name>.log and, but for the tests, FOLDER/<name>.json; FOLDER/summary.json says what passed, on
which device, with which versions, and is written anew after every step. Ends with 0 if all of it passed, with 1 if
something failed or time ran out, with 2 where there is no GPU. Needs no network: see docs/gpu.md for the packages.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("torch", "timm", "numpy", "opencv-python-headless", "simplejpeg", "pydantic", "pytest", "pytest-benchmark")
# A benchmark that runs out of time writes what it has measured; then it is killed.
SECONDS_TO_END = 15
# The project's own options name plugins that a machine without a network may lack.
PYTEST = (sys.executable, "-m", "pytest", "-o", "addopts=", "-p", "no:cacheprovider", "-q", "-rs", "--tb=short")


@dataclass(frozen=True)
class Step:
    """A command, the folder for its results to be filled in, and the seconds that it may take."""

    name: str
    command: tuple[str, ...]
    seconds: float


def steps(folder: Path, photographs: Path | None, jobs: int) -> list[Step]:
    """What is to be done, in order: what matters less comes last, where time may run out."""
    timing = (*PYTEST, "--benchmark-enable", "--benchmark-only")
    padding, training = (f"tests/benchmarks/test_{name}_speed_gpu.py" for name in ("padding", "training_step"))
    grid = [sys.executable, "-m", "tests.gpu.grid", str(folder / "grid.json"), "--jobs", str(jobs)]
    grid += [] if photographs is None else ["--photographs", str(photographs.resolve())]

    def measured(name: str, file: str, chosen: str) -> tuple[str, ...]:
        return (*timing, f"--benchmark-json={folder / name}.json", "-k", chosen, file)

    return [
        Step("tests", (*PYTEST, "--benchmark-disable", "--ignore=tests/gpu/test_gpu_check.py", "tests/gpu"), 150),
        # Early: unlike the benchmarks it has nothing to show when it is ended before its time.
        Step("grid", (*grid, "--seconds", "170"), 190),
        Step("padding", measured("padding", padding, "not compiled"), 180),
        Step("training_step", measured("training_step", training, "gpu"), 100),
        Step("compiled", measured("compiled", padding, "compiled and two_arms"), 180),
    ]


def gpu_name() -> str | None:
    """Name of the GPU that torch sees, or None."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def run(step: Step, log: Path, seconds: float) -> dict[str, Any]:
    """Run one step, with what it prints in its log; ended with all its processes when its time is up."""
    begun = time.monotonic()
    environment = os.environ | {
        "BORDERLAB_CHECK_SHAPES": "0",
        "BORDERLAB_GPU": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "PYTHONUNBUFFERED": "1",
    }
    # A shell that runs the check in the background has it ignore SIGINT, and its children would inherit that.
    command = ("env", "--default-signal=INT", *step.command)
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=stream, stderr=stream, start_new_session=True
        )
        try:
            status = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            status = None
            _end(process)
    taken = round(time.monotonic() - begun, 1)
    outcome = "out of time" if status is None else "passed" if status == 0 else f"failed with {status}"
    return {"outcome": outcome, "seconds": taken, "last_lines": log.read_text(encoding="utf-8").splitlines()[-8:]}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a step with all its processes; first politely, so that pytest writes down what it has measured."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(timeout=SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def check(
    folder: Path, chosen: list[Step], minutes: float, device: str, say: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Run the steps one after the other and keep `folder`/summary.json up to date."""
    deadline = time.monotonic() + 60 * minutes
    done: dict[str, dict[str, Any]] = {}
    facts = {"device": device, "python": platform.python_version(), "cpu_cores": os.cpu_count(), "versions": versions()}
    for step in chosen:
        left = deadline - time.monotonic()
        say(f"{step.name} ...")
        if left < 1:
            done[step.name] = {"outcome": "out of time", "seconds": 0.0, "last_lines": []}
        else:
            done[step.name] = run(step, folder / f"{step.name}.log", min(step.seconds, left))
        say("\n".join([*done[step.name]["last_lines"], f"{step.name}: {done[step.name]['outcome']}"]))
        (folder / "summary.json").write_text(json.dumps(facts | {"steps": done}, indent=2) + "\n", encoding="utf-8")
    return done


def versions() -> dict[str, str | None]:
    """Version of each package that decides a figure; None where it is not installed."""
    found: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def main(arguments: list[str]) -> int:
    """Check; the exit status is described above."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu")
    parser.add_argument("folder", type=Path, help="Folder for the results; made if it is not there.")
    parser.add_argument("--photographs", type=Path, help="Imagenette as fetched (`train`, `val`); else noise.")
    parser.add_argument("--jobs", type=int, default=6, help="Trainings of the grid at a time.")
    parser.add_argument("--minutes", type=float, default=9.5, help="After this nothing more is begun or waited for.")
    parser.add_argument("--only", nargs="+", help="Names of steps; all where absent.")
    own = parser.parse_args(arguments)
    known = steps(own.folder.resolve(), own.photographs, own.jobs)
    unknown = set(own.only or ()) - {step.name for step in known}
    if unknown:
        parser.error(f"no step {min(unknown)!r}; there are {', '.join(step.name for step in known)}")
    device = gpu_name()
    if device is None:
        sys.stderr.write("gpu-check: torch sees no GPU here: nothing was checked\n")
        return 2
    own.folder.mkdir(parents=True, exist_ok=True)
    chosen = [step for step in known if own.only is None or step.name in own.only]
    done = check(own.folder.resolve(), chosen, own.minutes, device, _say)
    return 0 if all(step["outcome"] == "passed" for step in done.values()) else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
