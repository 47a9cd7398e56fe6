"""Rows of table `paper_cells`: each published number beside what this experiment measured for it."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from borderlab.papers.conventions import printed_convention, standard_deviation
from borderlab.papers.schema import Paper, PublishedCell, PublishedTable, Selector
from borderlab.papers.selection import PAIRED_BY, RUN_COLUMN, selected, settings_of
from borderlab.statistics.differences import Difference, paired_difference, spread, welch_difference

Row = dict[str, Any]


def cell_rows(papers: Iterable[Paper], tables: Mapping[str, pd.DataFrame], scale: str) -> Iterator[Row]:
    """Rows of every cell of every paper; arguments as in `borderlab.papers.claim_rows.claim_rows`."""
    for paper in papers:
        for table in paper.tables:
            for cell in table.cells:
                own = {"paper": paper.name, "table": table.name, "cell": cell_name(paper, table, cell)}
                measured = _measured_values(table, cell, tables[table.spec.results])
                yield {**own, **_published_values(cell), "scale": scale, **measured, **_maker(table)}


def cell_name(paper: Paper, table: PublishedTable, cell: PublishedCell) -> str:
    """Name of a cell: paper/table/row/column."""
    return f"{paper.name}/{table.name}/{cell.row}/{cell.column}"


def _published_values(cell: PublishedCell) -> Row:
    many = len(cell.runs) > 1
    return {
        "row": cell.row,
        "column": cell.column,
        "metric": cell.metric,
        "verified": cell.verified,
        "published": None if cell.published is None else float(cell.published),
        "n_published": cell.n,
        "printed_sd": None if cell.spread is None else float(cell.spread),
        "printed_sd_is": printed_convention(cell.runs, cell.spread),
        "sample_sd": standard_deviation(cell.runs, "n - 1") if many else None,
        "population_sd": standard_deviation(cell.runs, "n") if many else None,
        "source": cell.source,
        "note": cell.note,
    }


def _maker(table: PublishedTable) -> Row:
    return {"config": table.spec.config, "study": table.spec.study}


def _measured_values(table: PublishedTable, cell: PublishedCell, frame: pd.DataFrame) -> Row:
    selector = table.selector(cell)
    empty: Row = {"measure": table.spec.measure, "n_measured": 0, "runs": ""}
    if selector is None:
        return {**empty, "status": "no runs here"}
    settings = [settings_of(selected(frame, each), table.spec.results) for each in sides_of(table, selector)]
    if not all(settings):
        return {**empty, "status": "not run"}
    if max(map(len, settings)) > 1:
        return {**empty, "status": "several settings"}
    sides = [found[0] for found in settings]
    values = _values(table, sides)
    if not values:
        return {**empty, "status": "not run"}
    found, gap = spread(values), _gap(values, cell)
    return {
        **empty,
        "status": "measured",
        "n_measured": found.n,
        "measured": found.mean,
        "measured_sd": found.sd,
        "difference": gap.mean,
        "difference_low": gap.low,
        "difference_high": gap.high,
        "runs": "; ".join(sorted(run for side in sides for run in side[RUN_COLUMN[table.spec.results]])),
    }


def sides_of(table: PublishedTable, selector: Selector) -> list[Selector]:
    """What is selected for a cell: its own side and, where cells are differences, the other one."""
    return [selector] if table.spec.against is None else [selector, {**selector, **table.spec.against}]


def _values(table: PublishedTable, sides: list[pd.DataFrame]) -> list[float]:
    """Result of each run, or difference of each pair of runs."""
    column = "change_points" if table.spec.results == "cross_test" else f"{table.spec.measure}_pct"
    by_pair = [side.set_index(PAIRED_BY[table.spec.results])[column] for side in sides]
    found = by_pair[0] if len(by_pair) == 1 else by_pair[0] - by_pair[1]
    return [float(value) for value in found.dropna().sort_index()]


def _gap(values: list[float], cell: PublishedCell) -> Difference:
    """Measured minus published."""
    if cell.published is None:
        return Difference(0, math.nan, math.nan, math.nan, math.nan)
    if len(cell.runs) > 1:
        return welch_difference(values, [float(run) for run in cell.runs])
    return paired_difference([value - float(cell.published) for value in values])
