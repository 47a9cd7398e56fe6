"""A small experiment, run once undisturbed; every fault happens to a copy of it."""

import copy
import os
import shutil
import signal
import subprocess
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from tests.workflow.running import TINY, environment, run, snakemake, write_config

EPOCHS, SAMPLES = 8, 8
# Tables without times and places.
TABLES = ("summary", "effects", "classes", "rings", "propagation")


@dataclass(frozen=True)
class Outcome:
    """One row of the fault table.

    `seen` is the line that the user sees, `again` what was computed again, `same` whether the end has the bits of the
    undisturbed run, `trials` how often the fault was brought about.
    """

    fault: str
    seen: str
    again: str
    same: bool
    trials: int

    def as_dict(self) -> dict[str, object]:
        """For the JSON artifact."""
        return asdict(self)


def experiment(**recipe: object) -> dict[str, object]:
    """One training with propagated samples, and one score."""
    values = copy.deepcopy(TINY)
    values["recipes"]["tiny"].update({"epochs": EPOCHS, "samples_per_epoch": SAMPLES, **recipe})  # type: ignore[index]
    values["studies"][0].update(  # type: ignore[index]
        padding_modes=["partial"], propagation=[{"kind": "joint", "motion": "dis_ultrafast", "max_distance": 2}]
    )
    values["probes"] = []
    values.pop("census")
    return values


class Bench:
    """The undisturbed run in `folder / whole`, and copies of it without what a fault is to happen to.

    With `finished`, a run of the tiny experiment, the bench is light: it takes data and samples from there, and does
    and compares the training alone.
    """

    def __init__(self, folder: Path, finished: Path | None = None) -> None:
        self.folder = folder
        self.finished = finished
        self.config = "tiny.yaml"

    @property
    def is_light(self) -> bool:
        """Whether trainings alone are done and compared."""
        return self.finished is not None

    @cached_property
    def whole(self) -> Path:
        """The folder of the undisturbed run, which is run when it is first asked for."""
        folder = self.folder / "whole"
        folder.mkdir(parents=True)
        if self.finished is not None:
            copy_samples(self.finished, folder)
        write_config(folder, experiment())
        done = self.attempt(folder)
        assert done.returncode == 0, done.stderr[-3000:]
        return folder

    def name(self, kind: str, folder: Path | None = None) -> str:
        """The only run, or the first synthesis, as the configuration in `folder` names it."""
        said = run("borderlab", "plan", "--config", self.config, folder=folder or self.whole).stdout
        lines = said.split(f"{kind}: ")[1].splitlines()[1:]
        return lines[0].strip()

    def copy(self, name: str, *without: str) -> Path:
        """A copy of the undisturbed run without the paths that match the patterns `without`."""
        folder = self.folder / name
        shutil.copytree(self.whole, folder)
        for pattern in without:
            for path in folder.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        return folder

    def untrained(self, name: str) -> Path:
        """A copy with everything before training."""
        return self.copy(name, "artifacts/tiny/runs", "artifacts/tiny/reports", "results")

    def attempt(self, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run what is missing in `folder`, if it can be run."""
        if self.is_light:
            return run("borderlab", "train", self.name("run", folder), "--config", self.config, folder=folder)
        return snakemake(folder, "--configfile", self.config)

    def finish(self, folder: Path) -> None:
        """Unlock `folder`, and run all that is missing."""
        if not self.is_light:
            snakemake(folder, "--unlock", "--configfile", self.config)
        done = self.attempt(folder)
        assert done.returncode == 0, done.stderr[-3000:]

    def same(self, folder: Path, whole: Path | None = None) -> bool:
        """Whether weights, samples and tables in `folder` have the bits of the undisturbed run, or of `whole`."""
        return bits(folder) == bits(whole or self.whole) != {}


def copy_samples(source: Path, target: Path) -> None:
    """Copy data, flows and propagated samples: all that a training reads."""
    for name in ("data", "artifacts/tiny/motion", "artifacts/tiny/propagated"):
        shutil.copytree(source / name, target / name)


def bits(folder: Path) -> dict[str, bytes]:
    """Weights, propagated samples and tables below `folder`."""
    patterns = ["artifacts/tiny/runs/*/*/model.safetensors", "artifacts/tiny/propagated/*/*/*/*.png"]
    patterns += [f"results/tiny/tables/{table}.csv" for table in TABLES]
    return {str(path.relative_to(folder)): path.read_bytes() for pattern in patterns for path in folder.glob(pattern)}


def start(folder: Path, *command: str) -> subprocess.Popen[str]:
    """Start a command in a session of its own, its output in `folder / out.txt`."""
    with (folder / "out.txt").open("w") as out:
        return subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=out, stderr=out, text=True, start_new_session=True
        )


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL to the process and all that it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_line(text: str, containing: str) -> str:
    """The last line that holds `containing`, without leading spaces."""
    lines = [line.strip() for line in text.splitlines() if containing in line]
    assert lines, f"no line with {containing!r} in:\n{text[-2000:]}"
    return lines[-1]
