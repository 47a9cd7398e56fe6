"""A small experiment, run once undisturbed; every fault happens to a copy of it."""

import copy
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from tests.workflow.faults import counted
from tests.workflow.running import ROOT, TINY, environment, run, snakemake_command, write_config

# Training takes about as long as its imports, so that random moments fall into both.
EPOCHS, SAMPLES, BATCH = 8, 64, 2
STEPS_PER_EPOCH = SAMPLES // BATCH
# What an untrained copy still has to do.
UNTRAINED = ("train", "evaluate", "tabulate", "report", "publish")
# Tables without times and places.
TABLES = ("summary", "effects", "classes", "rings", "propagation")


@dataclass(frozen=True)
class Outcome:
    """One row of the fault table.

    `seen` is the line that the user sees, `again` what was begun and trained once more, `same` whether the end has the
    bits of the undisturbed run, `trials` how often the fault was brought about.
    """

    fault: str
    seen: str
    again: "Again"
    same: bool
    trials: int = 1

    def as_dict(self) -> dict[str, object]:
        """For the JSON artifact."""
        return {**asdict(self), "again": {**asdict(self.again), "told": str(self.again)}}


@dataclass(frozen=True)
class Again:
    """Work beyond the undisturbed run's: commands begun, and training steps out of those that the end needs."""

    commands: dict[str, int]
    steps: int = 0
    steps_needed: int = 0

    def __str__(self) -> str:
        begun = [f"{command} {times}x" for command, times in sorted(self.commands.items())]
        steps = [f"{self.steps} of {self.steps_needed} steps"] if self.steps or "train" in self.commands else []
        return ", ".join([*begun, *steps]) or "nothing"


def experiment(**recipe: object) -> dict[str, object]:
    """One training with propagated samples, and one score."""
    values = copy.deepcopy(TINY)
    values["recipes"]["tiny"].update({"epochs": EPOCHS, "samples_per_epoch": SAMPLES, "batch_size": BATCH, **recipe})  # type: ignore[index]
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
        self._bin = folder / "bin"
        self._bin.mkdir(parents=True)
        paths = shlex.quote(os.pathsep.join([str(ROOT), str(ROOT / "src")]))
        (self._bin / "borderlab").write_text(
            f"#!/bin/sh\nexport PYTHONPATH={paths}${{PYTHONPATH:+:$PYTHONPATH}}\n"
            f'exec {shlex.quote(sys.executable)} -m {counted.__name__} "$@"\n'
        )
        (self._bin / "borderlab").chmod(0o755)

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
        shutil.copytree(self.whole, folder, ignore=shutil.ignore_patterns(counted.FOLDER.name))
        for pattern in without:
            for path in folder.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        return folder

    def untrained(self, name: str) -> Path:
        """A copy with everything before training."""
        return self.copy(name, "artifacts/tiny/runs", "artifacts/tiny/reports", "results")

    def attempt(self, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run what is missing in `folder`, if it can be run."""
        return self.run(*self.workflow_command(folder), folder=folder)

    def workflow_command(self, folder: Path) -> tuple[str, ...]:
        """What makes all that is missing in `folder`."""
        if self.is_light:
            return ("borderlab", "train", self.name("run", folder), "--config", self.config)
        return snakemake_command("--configfile", self.config, cores=1)

    def run(self, *command: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run a command whose `borderlab` counts."""
        return run(*self._counting(command), folder=folder)

    def start(self, folder: Path, *command: str) -> subprocess.Popen[str]:
        """Start a command whose `borderlab` counts, in a session of its own, its output in `folder / out.txt`."""
        with (folder / "out.txt").open("w") as out:
            return subprocess.Popen(
                self._counting(command),
                cwd=folder,
                env=environment(),
                stdout=out,
                stderr=out,
                text=True,
                start_new_session=True,
            )

    def _counting(self, command: tuple[str, ...]) -> tuple[str, ...]:
        return ("env", f"PATH={self._bin}{os.pathsep}{environment()['PATH']}", *command)

    def finish(self, folder: Path) -> None:
        """Unlock `folder`, and run all that is missing."""
        if self.is_light and list(folder.glob("artifacts/tiny/runs/*/*/training.json")):
            return
        if not self.is_light:
            self.run(*self.workflow_command(folder), "--unlock", folder=folder)
        done = self.attempt(folder)
        assert done.returncode == 0, done.stderr[-3000:]

    def again(self, *folders: Path, needed: Iterable[str] = UNTRAINED, whole: Path | None = None) -> Again:
        """What was done in `folders` beyond `needed`, which the undisturbed run did in `whole`."""
        undisturbed, steps = counts(whole or self.whole)
        expected = Counter({command: undisturbed[command] * len(folders) for command in needed})
        found = [counts(folder) for folder in folders]
        begun = sum((commands for commands, _ in found), Counter())
        steps_needed = steps * len(folders) if expected["train"] else 0
        return Again(dict(begun - expected), sum(made for _, made in found) - steps_needed, steps_needed)

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


def counts(folder: Path) -> tuple[Counter[str], int]:
    """Commands begun in `folder`, and training steps made there."""
    commands, steps = folder / counted.COMMANDS, folder / counted.STEPS
    begun = commands.read_text().split() if commands.exists() else []
    return Counter(begun), steps.stat().st_size if steps.exists() else 0


def kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL to the process and all that it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_line(text: str, containing: str) -> str:
    """The last line that holds `containing`, without leading spaces."""
    lines = [line.strip() for line in text.splitlines() if containing in line]
    assert lines, f"no line with {containing!r} in:\n{text[-2000:]}"
    return lines[-1]
