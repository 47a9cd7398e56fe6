"""How far two trees of results agree, for each number that both should have."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import pandas as pd
from scipy.stats import t as student_t

from borderlab.comparison.trees import Tree
from borderlab.errors import RunError
from borderlab.statistics.differences import CONFIDENCE


class Level(IntEnum):
    """Levels of agreement, the closest first."""

    IDENTICAL = 0
    TOLERANCE = 1
    INTERVALS = 2
    DIFFERENT = 3
    MISSING = 4

    @property
    def title(self) -> str:
        """The level in words."""
        return _TITLES[self]


_TITLES = {
    Level.IDENTICAL: "identical",
    Level.TOLERANCE: "within tolerance",
    Level.INTERVALS: "within intervals",
    Level.DIFFERENT: "different",
    Level.MISSING: "on one side only",
}

# Numbers with a spread of their own: (standard error or interval, runs).
_SPREADS = {("summary", "mean_pct"): ("sd_pct", "n_seeds")}
_INTERVALS = {("effects", "difference_pct"): ("difference_low_pct", "difference_high_pct", "n_pairs")}
JUDGED_BY_INTERVALS = {*_SPREADS, *_INTERVALS}
WHOLE_ROW = "whole row"


@dataclass(frozen=True)
class CellAgreement:
    """One number in two trees, or a `WHOLE_ROW` that one of them lacks."""

    table: str
    row: str
    column: str
    one: str
    other: str
    level: Level


def compare_trees(one: Tree, other: Tree, tolerance: float) -> list[CellAgreement]:
    """Every number of both trees with its level of agreement; columns that one of them lacks are `lone_columns`.

    Args:
        one: a tree.
        other: the tree that it is compared with.
        tolerance: largest difference of numbers that still counts as agreement, in the numbers' own units.

    Raises:
        RunError: if rows of a table cannot be told apart by the keys that both trees have.
    """
    names = [*one.tables, *(name for name in other.tables if name not in one.tables)]
    return [cell for name in names for cell in _table_cells(name, one, other, tolerance)]


def lone_columns(one: Tree, other: Tree) -> Iterator[str]:
    """Columns that only one of two trees has in a table of both: another version of the code made it."""
    for name in one.tables:
        if name in other.tables:
            for tree, lacking in ((one, other), (other, one)):
                own, others = (_all_columns(each.tables[name]) for each in (tree, lacking))
                for column in own.difference(others, sort=False):
                    yield f"{name}: {column}: in {tree.folder} alone"


def common_runs(one: Tree, other: Tree) -> str:
    """How many runs, by setting and seed, two trees share: without any they are of different experiments."""
    left, right = (set(tree.tables["runs"].index) for tree in (one, other))
    counts = f"runs: {len(left & right)} in both, {len(left - right)} in {one.folder} alone"
    told = f"{counts}, {len(right - left)} in {other.folder} alone"
    return told if left & right else f"{told}: are these of the same experiment?"


def failures(cells: list[CellAgreement], needed: Level) -> list[CellAgreement]:
    """Cells that agree less than `needed`.

    Intervals can be asked of numbers that have one: means over seeds and their differences. Where those are what is
    needed, runs of other seeds count for nothing, but a setting that one side lacks does.
    """
    if needed is Level.INTERVALS:
        judged = JUDGED_BY_INTERVALS | {(table, WHOLE_ROW) for table, _ in JUDGED_BY_INTERVALS}
        cells = [cell for cell in cells if (cell.table, cell.column) in judged]
    return [cell for cell in cells if cell.level > needed]


def _table_cells(name: str, one: Tree, other: Tree, tolerance: float) -> Iterator[CellAgreement]:
    empty = pd.DataFrame()
    left, right = one.tables.get(name, empty), other.tables.get(name, empty)
    if name in one.tables and name in other.tables:
        left, right = _by_common_keys(name, left, right), _by_common_keys(name, right, left)
    columns = [column for column in left.columns if column in right.columns]
    rows = [*left.index, *(key for key in right.index if key not in left.index)] if len(left) else list(right.index)
    titles = _row_titles(rows)
    values = [_by_key(frame) for frame in (left, right)]
    for key, title in zip(rows, titles, strict=True):
        if not all(key in found for found in values):
            left_state, right_state = ("present" if key in found else "absent" for found in values)
            yield CellAgreement(name, title, WHOLE_ROW, left_state, right_state, Level.MISSING)
            continue
        own, others = (found[key] for found in values)
        for column in columns:
            level = _level(name, column, own, others, tolerance)
            yield CellAgreement(name, title, column, own[column], others[column], level)


def _all_columns(frame: pd.DataFrame) -> pd.Index:
    return pd.Index([*frame.index.names, *frame.columns])


def _by_common_keys(name: str, frame: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """`frame` without keys that the other lacks: another version of the code wrote it without them.

    Raises:
        RunError: if rows of one table differ in nothing else.
    """
    lone = [key for key in frame.index.names if key not in other.index.names]
    kept = frame.reset_index(level=lone, drop=True) if lone else frame
    if kept.index.has_duplicates:
        raise RunError(f"{name}: rows of one tree differ in {', '.join(map(str, lone))} alone, which the other lacks")
    return kept


def _by_key(frame: pd.DataFrame) -> dict[object, dict[str, str]]:
    rows = frame.to_dict("records")
    return {
        key: {str(name): str(value) for name, value in row.items()} for key, row in zip(frame.index, rows, strict=True)
    }


def _level(name: str, column: str, own: dict[str, str], others: dict[str, str], tolerance: float) -> Level:
    if own[column] == others[column]:
        return Level.IDENTICAL
    one, other = _number(own[column]), _number(others[column])
    if abs(one - other) <= tolerance:
        return Level.TOLERANCE
    errors = [_standard_error(name, column, row) for row in (own, others)]
    return Level.INTERVALS if _agree(one - other, *errors) else Level.DIFFERENT


def _standard_error(name: str, column: str, row: dict[str, str]) -> tuple[float, float]:
    """Standard error and degrees of freedom of a number; NaN for one without a spread."""
    if (name, column) in _SPREADS:
        sd, n = (_number(row[each]) for each in _SPREADS[name, column])
        return sd / math.sqrt(n), n - 1
    if (name, column) in _INTERVALS:
        low, high, n = (_number(row[each]) for each in _INTERVALS[name, column])
        return (high - low) / 2 / float(student_t.ppf(0.5 + CONFIDENCE / 2, n - 1)), n - 1
    return math.nan, math.nan


def _agree(difference: float, one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether Welch's 95 % interval of a difference holds zero; False without spreads."""
    variances = one[0] ** 2, other[0] ** 2
    total = sum(variances)
    if not total > 0:
        return False
    df = total**2 / (variances[0] ** 2 / one[1] + variances[1] ** 2 / other[1])
    return abs(difference) <= float(student_t.ppf(0.5 + CONFIDENCE / 2, df)) * math.sqrt(total)


def _row_titles(rows: list[object]) -> list[str]:
    """Keys as texts, without the parts that all rows share."""
    keys = [key if isinstance(key, tuple) else (key,) for key in rows]
    varying = [place for place in range(len(keys[0]) if keys else 0) if len({key[place] for key in keys}) > 1]
    return [", ".join(str(key[place]) for place in varying or range(len(key)) if key[place] != "") for key in keys]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
