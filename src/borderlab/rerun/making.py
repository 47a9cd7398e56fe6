"""Runs made again in a folder of their own, by the same workflow, and compared with what is there."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from borderlab.errors import RunError
from borderlab.explanation import flattened
from borderlab.files import read_json, sha256_of_file, write_text
from borderlab.workflow import Workflow

# What two makings of one run share.
_COMPARED = {"training.json": (), "metrics.json": ("seconds",)}


@dataclass(frozen=True)
class Disagreement:
    """One value of a run that came out otherwise."""

    run: str
    place: str
    was: str
    made: str

    def __str__(self) -> str:
        return f"{self.run}: {self.place}: {self.was} -> {self.made}"


def make_again(runs: Sequence[str], workflow: Workflow, folder: Path, snakefile: Path, cores: str) -> Workflow:
    """Train and evaluate `runs` anew below `folder`; return the workflow whose paths lie there.

    Data sets are shared with the experiment, everything that is made from them is made again.

    Raises:
        RunError: if the workflow ends with a fault.
    """
    values = workflow.plan.config.model_dump(mode="json")
    values["folders"] |= {"artifacts": str(folder / "artifacts"), "results": str(folder / "results")}
    config = folder / "config.yaml"
    write_text(config, yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
    remade = Workflow.from_file(config)
    targets = [remade.paths.evaluation(run, remade.plan.evaluation_name(run)) for run in runs]
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), "--configfile", str(config)]
    done = subprocess.run([*command, "--cores", cores, "--", *targets], check=False)  # noqa: S603  (our own command)
    if done.returncode != 0:
        raise RunError(f"{folder}: the workflow ended with status {done.returncode}; its log is above and in logs/")
    return remade


def disagreements(runs: Sequence[str], workflow: Workflow, remade: Workflow) -> Iterator[Disagreement]:
    """Every value of `runs` that differs between the experiment and what was made again.

    Raises:
        RunError: if the experiment has no such run on disk.
    """
    for run in runs:
        folders = [_folders(run, each) for each in (workflow, remade)]
        for name, left_out in _COMPARED.items():
            was, made = (dict(flattened(read_json(each[name]))) for each in folders)
            for place in sorted({*was, *made} - set(left_out)):
                if was.get(place) != made.get(place):
                    yield Disagreement(run, f"{name}: {place}", was.get(place, "absent"), made.get(place, "absent"))
        yield from _curve_disagreements(run, *(each["curve.csv"] for each in folders))
        digests = [sha256_of_file(each["model.safetensors"])[:8] for each in folders]
        if digests[0] != digests[1]:
            yield Disagreement(run, "model.safetensors", *digests)


def _curve_disagreements(run: str, was: Path, made: Path) -> Iterator[Disagreement]:
    curves = [pd.read_csv(path, dtype=str, keep_default_na=False).drop(columns="seconds") for path in (was, made)]
    if len(curves[0]) != len(curves[1]):
        yield Disagreement(run, "curve.csv: epochs", str(len(curves[0])), str(len(curves[1])))
        return
    for column in curves[0]:
        for epoch, values in enumerate(zip(curves[0][column], curves[1][column], strict=True), start=1):
            if values[0] != values[1]:
                yield Disagreement(run, f"curve.csv: {column}, epoch {epoch}", *values)


def _folders(run: str, workflow: Workflow) -> dict[str, Path]:
    own = Path(workflow.paths.run_folder(run))
    evaluation = Path(workflow.paths.evaluation(run, workflow.plan.evaluation_name(run)))
    names = ("training.json", "curve.csv", "model.safetensors")
    found = {**{name: own / name for name in names}, "metrics.json": evaluation}
    for path in found.values():
        if not path.is_file():
            raise RunError(f"{path}: is missing; run the experiment to its end, or pull it with DVC")
    return found
