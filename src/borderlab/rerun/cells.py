"""Which results stand behind a number: runs, scores, probes, motion models."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from borderlab.errors import RunError
from borderlab.motion.names import motion_label
from borderlab.papers.cell_rows import cell_name
from borderlab.papers.loading import load_papers
from borderlab.papers.planned import planned_rows, sides_of_cell
from borderlab.papers.schema import PublishedCell, PublishedTable, ResultsTable
from borderlab.papers.selection import settings_of
from borderlab.plan import Plan
from borderlab.report.names import TABLES
from borderlab.workflow import Workflow

_RUN_COLUMNS = ("run", "runs", "baseline_runs", "left_runs", "right_runs")
Values = dict[str, str]


def runs_of_cell(cell: str, workflow: Workflow) -> list[str]:
    """Names of the results behind `cell`, all of them results of the experiment as it is planned now.

    Args:
        cell: the name of a run, a score, a probe or a motion model; a row of a results table as TABLE:LINE, with lines
            as an editor counts them (`summary:5`); or a cell of a published table
            (`liu2018/imagenet_top1/resnet50/partial`), which needs no tables.
        workflow: the experiment.

    Raises:
        RunError: if there is no such number, nothing makes it, or the code makes other runs now.
    """
    plan = workflow.plan
    if any(cell in results for results in (plan.runs, plan.scores, plan.probes, plan.motion_models)):
        return [cell]
    table, _, line = cell.rpartition(":")
    if table in TABLES:
        return _of_row(cell, _line(table, line, workflow), workflow)
    return _of_published(cell, *_published(cell, workflow), plan)


def tables_folder(workflow: Workflow) -> Path:
    """The experiment's tables: its own report's, else the published ones.

    Raises:
        RunError: if there are none.
    """
    own = Path(workflow.paths.report_folder(workflow.plan.experiment_id)) / "tables"
    for folder in (own, Path(workflow.paths.results) / "tables"):
        if folder.is_dir():
            return folder
    raise RunError(f"{own}: no tables yet; run the experiment to its end first")


def _line(table: str, line: str, workflow: Workflow) -> Values:
    path = tables_folder(workflow) / f"{table}.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    # The head is line 1.
    if not line.isdecimal() or not 2 <= int(line) <= len(frame) + 1:
        raise RunError(f"{table}:{line}: {table}.csv has lines 2 to {len(frame) + 1}")
    return {str(name): str(value) for name, value in frame.iloc[int(line) - 2].items()}


def _of_row(cell: str, row: Values, workflow: Workflow) -> list[str]:
    plan = workflow.plan
    if "cell" in row:
        return _of_published(row["cell"], *_published(row["cell"], workflow), plan)
    if {"motion", "split"} <= row.keys():
        named = [name for name, spec in plan.scores.items() if _score_keys(plan, name) == _row_keys(row)]
    elif "probe" in row:
        named = [name for name, planned in plan.probes.items() if planned.label == row["probe"]]
    elif "model" in row:
        named = [name for name, planned in plan.motion_models.items() if planned.label == row["model"]]
    else:
        named = [name for column in _RUN_COLUMNS if column in row for name in row[column].split("; ") if name]
    if row.get("claim") and named and _results_of_claim(row, workflow) == "cross_test":
        named = _probes_of(named, plan)
    return _known(cell, named, plan)


def _score_keys(plan: Plan, score: str) -> tuple[str, ...]:
    spec = plan.scores[score]
    return spec.dataset.key, spec.split, motion_label(spec.title), str(spec.void_occluded)


def _row_keys(row: Values) -> tuple[str, ...]:
    return row["dataset"], row["split"], row["motion"], row["void_occluded"]


def _results_of_claim(row: Values, workflow: Workflow) -> ResultsTable:
    for paper in load_papers(Path(workflow.plan.config.folders.papers)):
        for claim in paper.claims:
            if (paper.name, claim.id) == (row["paper"], row["claim"]):
                return claim.results
    raise RunError(f"{row['paper']}/{row['claim']}: no such claim any more; make the report again")


def _probes_of(networks: Iterable[str], plan: Plan) -> list[str]:
    """Probes that test any of `networks` with other paddings."""
    planned = planned_rows(plan)["cross_test"]
    return list(planned[planned["network"].isin(list(networks))]["probe"])


def _published(cell: str, workflow: Workflow) -> tuple[PublishedTable, PublishedCell]:
    for paper in load_papers(Path(workflow.plan.config.folders.papers)):
        for table in paper.tables:
            for own in table.cells:
                if cell_name(paper, table, own) == cell:
                    return table, own
    raise RunError(
        f"{cell}: is no run, score, probe or motion model of this configuration, no TABLE:LINE, and no published cell; "
        "`borderlab plan --config FILE` lists names"
    )


def _of_published(cell: str, table: PublishedTable, own: PublishedCell, plan: Plan) -> list[str]:
    if table.selector(own) is None:
        raise RunError(f"{cell}: nothing in this project makes it")
    sides = sides_of_cell(table, own, planned_rows(plan)[table.spec.results])
    if not sides:
        raise RunError(f"{cell}: no runs of this experiment stand behind it; --config {table.spec.config} has them")
    if any(len(settings_of(side, table.spec.results)) > 1 for side in sides):
        raise RunError(f"{cell}: several settings of this experiment fit, so none is taken; name a run")
    column = "probe" if table.spec.results == "cross_test" else "run"
    return _known(cell, _names(sides, column), plan)


def _names(sides: Iterable[pd.DataFrame], column: str) -> Iterator[str]:
    for side in sides:
        yield from map(str, side[column])


def _known(cell: str, named: Iterable[str], plan: Plan) -> list[str]:
    """`named`, each once; all of them must be results of the plan, and there must be some."""
    names = list(dict.fromkeys(named))
    if not names:
        raise RunError(
            f"{cell}: its table names no runs; an older version published it, or it is of no training: run the "
            "experiment again, or name a run of table runs"
        )
    results = {*plan.runs, *plan.scores, *plan.probes, *plan.motion_models}
    lost = [name for name in names if name not in results]
    if lost:
        raise RunError(
            f"{cell}: {lost[0]} is no run of this experiment as code and configuration are now; check out the commit "
            "that table runs names, or ask `borderlab explain` what differs"
        )
    return names
