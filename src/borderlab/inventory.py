"""Where an experiment's results are: here, in the DVC remote, in both, or nowhere yet.

What is here is asked of the file system, what is elsewhere of DVC's own command line (`dvc data status --json`), so
that no format of DVC's is read by this package.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from borderlab.errors import BorderlabError
from borderlab.workflow import Workflow


class RemoteError(BorderlabError):
    """A DVC remote that cannot be asked."""


@dataclass(frozen=True)
class PlannedResult:
    """A result of the plan: its kind, its name, and the files that it has when it is finished."""

    kind: str
    name: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Tracked:
    """Files that `dvc.lock` names, and which of them a remote has."""

    files: frozenset[str]
    in_remote: frozenset[str]


@dataclass(frozen=True)
class Place:
    """Where one result is; `in_remote` is None where no remote was asked."""

    result: PlannedResult
    here: bool
    begun: bool
    in_remote: bool | None

    def __str__(self) -> str:
        places = [name for name, there in (("here", self.here), ("remote", self.in_remote)) if there]
        return "+".join(places) or ("begun" if self.begun else "nowhere")


KINDS = ("motion_model", "motion", "synthesis", "score", "run", "probe")
"""Kinds of results, in the order of the DAG."""


def planned_results(workflow: Workflow) -> Iterator[PlannedResult]:
    """Every result of the plan that a job of its own makes, in the order of the DAG; a run with its evaluation."""
    plan, paths = workflow.plan, workflow.paths
    for model in plan.motion_models:
        yield PlannedResult("motion_model", model, tuple(paths.motion_model_files(model)))
    for motion in plan.motions:
        yield PlannedResult("motion", motion, (paths.motion(motion),))
    for synthesis in plan.syntheses:
        yield PlannedResult("synthesis", synthesis, (paths.synthesis(synthesis),))
    for score in plan.scores:
        yield PlannedResult("score", score, (paths.score(score),))
    for run in plan.runs:
        evaluation = paths.evaluation(run, plan.evaluation_name(run))
        yield PlannedResult("run", run, (*paths.run_files(run), evaluation))
    for probe in plan.probes:
        yield PlannedResult("probe", probe, (paths.probe(probe),))


def places(workflow: Workflow, tracked: Tracked | None, root: Path = Path()) -> list[Place]:
    """Where each planned result is.

    Args:
        workflow: the experiment.
        tracked: what DVC says (`tracked_files`); None asks the file system alone.
        root: the folder that the workflow runs in.
    """
    return [_place(result, tracked, root) for result in planned_results(workflow)]


def _place(result: PlannedResult, tracked: Tracked | None, root: Path) -> Place:
    here = all((root / name).is_file() for name in result.files)
    begun = not here and (root / result.files[0]).parent.is_dir()
    in_remote = None if tracked is None else tracked.in_remote.issuperset(result.files)
    return Place(result, here, begun, in_remote)


def tracked_files(folder: str, remote: str | None = None, root: Path = Path()) -> Tracked:
    """What DVC tracks below `folder`, and which of it the remote has.

    Args:
        folder: a path relative to `root`, such as artifacts/smoke.
        remote: name of the remote; DVC's default remote where absent.
        root: the checkout's top folder.

    Raises:
        RemoteError: if DVC or its remote does not answer.
    """
    if remote is None and not _dvc(root, "config", "core.remote", allowed=(0, 251)).strip():
        raise RemoteError("no DVC remote is set: `dvc remote add -d NAME ADDRESS`, or leave out --remote")
    listed = _dvc(root, "ls", ".", folder, "--dvc-only", "--recursive", "--json", allowed=(0, 255))
    files = frozenset(f"{folder}/{entry['path']}" for entry in json.loads(listed or "[]"))
    arguments = ["--remote", remote] if remote else []
    status: dict[str, Any] = json.loads(
        _dvc(root, "data", "status", "--granular", "--not-in-remote", "--json", *arguments)
    )
    return Tracked(files, files - frozenset(status.get("not_in_remote", ())))


def _dvc(root: Path, *arguments: str, allowed: tuple[int, ...] = (0,)) -> str:
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode not in allowed:
        reason = next((line for line in done.stderr.splitlines() if line.startswith("ERROR")), "no answer")
        raise RemoteError(f"dvc {' '.join(arguments[:2])}: {reason}; see `dvc remote list`, or leave out --remote")
    return done.stdout
