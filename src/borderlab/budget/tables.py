"""What each table of the papers costs: the trainings whose results stand in its cells."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from borderlab.budget.assumptions import Speed
from borderlab.budget.estimate import device_hours
from borderlab.papers.loading import load_papers
from borderlab.papers.schema import PublishedTable
from borderlab.papers.selection import selected
from borderlab.plan import Plan
from borderlab.report.rows import factor_values


@dataclass(frozen=True)
class TableBudget:
    """One published table: cells, those that a training of the plan fills, and these trainings.

    A training that fills cells of several tables, or that others start from, counts in each of them.
    """

    paper: str
    table: str
    n_cells: int
    n_filled: int
    n_runs: int
    hours: float


def table_budgets(plan: Plan, speed: Speed) -> Iterator[TableBudget]:
    """Tables of which a training of `plan` fills at least one cell.

    Tables of the probes' results are left out: they train nothing of their own.
    """
    rows = [{"run": name, "seed": run.spec.seed, **factor_values(run.spec)} for name, run in plan.runs.items()]
    frame = pd.DataFrame(rows)
    for paper in load_papers(Path(plan.config.folders.papers)) if rows else ():
        for table in paper.tables:
            by_cell = _runs_of_cells(table, frame) if table.spec.results == "runs" else []
            runs = {run for own in by_cell for run in _with_starts(plan, own)}
            if runs:
                hours = sum(device_hours(plan, plan.runs[run].spec, speed) for run in runs)
                filled = sum(bool(own) for own in by_cell)
                yield TableBudget(paper.name, table.name, len(table.cells), filled, len(runs), hours)


def _runs_of_cells(table: PublishedTable, frame: pd.DataFrame) -> list[set[str]]:
    against = table.spec.against
    found = []
    for cell in table.cells:
        selector = table.selector(cell)
        sides = [] if selector is None else [selector] if against is None else [selector, {**selector, **against}]
        found.append({str(run) for side in sides for run in selected(frame, side)["run"]})
    return found


def _with_starts(plan: Plan, runs: set[str]) -> Iterator[str]:
    """Each run, and what it starts from."""
    for run in runs:
        start: str | None = run
        while start is not None:
            yield start
            start = plan.runs[start].spec.start_from
