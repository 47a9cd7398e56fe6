"""Runs made again in a folder of their own, by the same workflow, and compared with what is there."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from borderlab.errors import RunError
from borderlab.explanation import flattened
from borderlab.files import read_json, sha256_of_file, write_text
from borderlab.workflow import Workflow

# What two makings of one result do not share.
_SECONDS = frozenset({"seconds", "wall_time_s"})


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
    """Make `runs` (or scores, probes, motion models) anew below `folder`; return the workflow whose paths lie there.

    Data sets are shared with the experiment, everything that is made from them is made again.

    Raises:
        RunError: if the workflow ends with a fault.
    """
    values = workflow.plan.config.model_dump(mode="json")
    values["folders"] |= {"artifacts": str(folder / "artifacts"), "results": str(folder / "results")}
    config = folder / "config.yaml"
    write_text(config, yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
    remade = Workflow.from_file(config)
    targets = [target_of(run, remade) for run in runs]
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), "--configfile", str(config)]
    done = subprocess.run([*command, "--cores", cores, "--", *targets], check=False)  # noqa: S603  (our own command)
    if done.returncode != 0:
        raise RunError(f"{folder}: the workflow ended with status {done.returncode}; its log is above and in logs/")
    return remade


def check_present(runs: Sequence[str], workflow: Workflow) -> None:
    """See that what is to be compared is there, before hours go into making it again.

    Raises:
        RunError: if a file of a run is missing.
    """
    for run in runs:
        _files(run, workflow)


def disagreements(runs: Sequence[str], workflow: Workflow, remade: Workflow) -> Iterator[Disagreement]:
    """Every value of `runs` that differs between the experiment and what was made again.

    Raises:
        RunError: if the experiment has no such run on disk.
    """
    for run in runs:
        was, made = (_files(run, each) for each in (workflow, remade))
        for name in sorted({*was, *made}):
            if name not in was or name not in made:
                yield Disagreement(run, name, *("present" if name in side else "absent" for side in (was, made)))
            elif name.endswith(".json"):
                yield from _json_disagreements(run, name, was[name], made[name])
            elif name.endswith(".csv"):
                yield from _table_disagreements(run, name, was[name], made[name])
            elif sha256_of_file(was[name]) != sha256_of_file(made[name]):
                yield Disagreement(run, name, sha256_of_file(was[name])[:8], sha256_of_file(made[name])[:8])


def target_of(name: str, workflow: Workflow) -> str:
    """The file that the workflow makes last for a run, a score, a probe or a motion model."""
    plan, paths = workflow.plan, workflow.paths
    if name in plan.runs:
        return paths.evaluation(name, plan.evaluation_name(name))
    if name in plan.scores:
        return paths.score(name)
    return paths.probe(name) if name in plan.probes else paths.motion_model_files(name)[-1]


def _json_disagreements(run: str, name: str, *paths: Path) -> Iterator[Disagreement]:
    was, made = (dict(flattened(_by_place(read_json(path)))) for path in paths)
    for place in sorted({*was, *made} - _SECONDS):
        if was.get(place) != made.get(place):
            yield Disagreement(run, f"{name}: {place}", was.get(place, "absent"), made.get(place, "absent"))


def _by_place(value: Any) -> Any:
    """Rows of a list by their number, so that one that differs can be named; lists of plain values stay."""
    if isinstance(value, dict):
        return {key: _by_place(part) for key, part in value.items()}
    if isinstance(value, list) and any(isinstance(part, dict) for part in value):
        return {str(place): _by_place(part) for place, part in enumerate(value, start=1)}
    return value


def _table_disagreements(run: str, name: str, *paths: Path) -> Iterator[Disagreement]:
    texts = [pd.read_csv(path, dtype=str, keep_default_na=False) for path in paths]
    tables = [table.drop(columns="seconds", errors="ignore") for table in texts]
    what = "epoch" if name == "curve.csv" else "line"
    if len(tables[0]) != len(tables[1]):
        yield Disagreement(run, f"{name}: {what}s", str(len(tables[0])), str(len(tables[1])))
        return
    for column in tables[0]:
        for row, values in enumerate(zip(tables[0][column], tables[1][column], strict=True), start=1):
            if values[0] != values[1]:
                yield Disagreement(run, f"{name}: {column}, {what} {row}", *values)


def _files(name: str, workflow: Workflow) -> dict[str, Path]:
    """What is compared of a result, by file name."""
    last = Path(target_of(name, workflow))
    names = ("training.json", "curve.csv", "model.safetensors")
    if name in workflow.plan.runs:
        own = Path(workflow.paths.run_folder(name))
        found = {**{each: own / each for each in names}, "metrics.json": last}
    elif name in workflow.plan.motion_models:
        found = {each: last.parent / each for each in (*names, "held_out.csv")}
    else:
        found = {last.name: last} | {path.name: path for path in sorted(last.parent.glob("*.csv"))}
    for path in found.values():
        if not path.is_file():
            raise RunError(f"{path}: is missing; run the experiment to its end, or pull it with DVC")
    return found
