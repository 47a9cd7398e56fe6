"""What lies below artifacts/ and no configuration names any more: old specifications' results.

A result stays if any file of config/ names it, or a configuration that is given besides. What goes is told with its
size; nothing is deleted unless asked for, nothing outside of the artifacts' folder ever, and nothing while a workflow
runs there.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from borderlab.errors import BorderlabError
from borderlab.inventory import planned_results
from borderlab.workflow import Workflow

# Folders of an experiment, and how deep below each of them its results lie.
DEPTHS = {
    "motion_models": 1,
    "motion": 2,
    "propagated": 2,
    "scores": 2,
    "runs": 2,
    "probes": 1,
    "census": 1,
    "reports": 1,
}


class PruneError(BorderlabError):
    """A folder that must not be pruned, or not now."""


@dataclass(frozen=True)
class Unnamed:
    """A folder that no configuration names, and what it holds."""

    folder: Path
    n_files: int
    n_bytes: int


def unnamed_results(workflows: Iterable[Workflow], artifacts: Path) -> list[Unnamed]:
    """Folders of results below `artifacts` that none of `workflows` names, sorted by path.

    Old evaluations inside of runs that stay count too. Experiments that none of `workflows` is about are left alone.

    Raises:
        PruneError: if a result is a link or lies outside of `artifacts`.
    """
    named: dict[Path, set[Path]] = {}
    for workflow in workflows:
        named.setdefault(Path(workflow.paths.artifacts), set()).update(_named_folders(workflow))
    return sorted(
        (_measured(folder) for experiment, kept in named.items() for folder in _unnamed(experiment, kept, artifacts)),
        key=lambda unnamed: unnamed.folder,
    )


def lone_experiments(workflows: Iterable[Workflow], artifacts: Path) -> list[Unnamed]:
    """Folders of whole experiments below `artifacts` that none of `workflows` is about, sorted by path.

    Raises:
        PruneError: if one is a link or lies outside of `artifacts`.
    """
    known = {Path(workflow.paths.artifacts) for workflow in workflows}
    found = []
    for folder in sorted(artifacts.iterdir()) if artifacts.is_dir() else ():
        # What holds no results of ours is not ours to judge.
        if folder not in known and any((folder / kind).is_dir() for kind in DEPTHS):
            _check_inside(folder, artifacts)
            found.append(_measured(folder))
    return found


def remove(unnamed: Iterable[Unnamed], root: Path = Path()) -> None:
    """Delete folders.

    Raises:
        PruneError: if Snakemake holds its lock in `root`; nothing is deleted then.
    """
    locks = root / ".snakemake" / "locks"
    if locks.is_dir() and any(locks.iterdir()):
        raise PruneError(
            f"{locks}: a workflow runs here or was killed; let it end, or `snakemake --unlock`, before pruning"
        )
    for entry in unnamed:
        shutil.rmtree(entry.folder)


def _named_folders(workflow: Workflow) -> Iterator[Path]:
    for result in planned_results(workflow):
        yield from (Path(file).parent for file in result.files)
    yield Path(workflow.paths.report_folder(workflow.plan.experiment_id))
    if workflow.plan.census is not None:
        yield Path(workflow.paths.census(workflow.plan.census.name)).parent


def _unnamed(experiment: Path, kept: set[Path], artifacts: Path) -> Iterator[Path]:
    for kind, depth in DEPTHS.items():
        for folder in sorted((experiment / kind).glob("/".join("*" * depth))):
            _check_inside(folder, artifacts)
            if folder not in kept:
                yield folder
            elif kind == "runs":
                yield from (old for old in sorted(folder.glob("evaluation-*")) if old not in kept)


def _check_inside(folder: Path, artifacts: Path) -> None:
    if folder.is_symlink() or not folder.resolve().is_relative_to(artifacts.resolve()):
        raise PruneError(f"{folder}: is a link or lies outside of {artifacts}; nothing was removed")


def _measured(folder: Path) -> Unnamed:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return Unnamed(folder, len(files), sum(path.stat().st_size for path in files))
