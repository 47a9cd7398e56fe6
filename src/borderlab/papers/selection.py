"""Which runs a selector means, and which settings of an experiment put a claim to the test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from borderlab.papers.schema import Claim, ResultsTable, Selector
from borderlab.report.schemas import FACTORS, TOLD_BY

_PROBE_KEYS = ("probe", "dataset", "backbone", "weights", "trained_mode", "tested_mode", "measure")
KEYS: dict[ResultsTable, tuple[str, ...]] = {"runs": tuple(FACTORS), "cross_test": _PROBE_KEYS}
"""Columns that tell settings apart."""

PLANNED: dict[ResultsTable, tuple[str, ...]] = {
    "runs": ("run", "seed", *FACTORS),
    "cross_test": ("probe", "network", "dataset", "backbone", "weights", "trained_mode", "tested_mode", "measure"),
}
"""Columns that are known before anything has run; cells select by no others, so that their runs can be found."""

PAIRED_BY: dict[ResultsTable, str] = {"runs": "seed", "cross_test": "network"}
RUN_COLUMN: dict[ResultsTable, str] = {"runs": "run", "cross_test": "network"}
_NAMED_FIRST = ("dataset", "backbone")


@dataclass(frozen=True)
class Case:
    """Two settings that differ in a claim's sides (and its free columns) alone."""

    label: str
    left: pd.DataFrame
    right: pd.DataFrame

    def differences(self, value: str, paired_by: str) -> list[float]:
        """Left minus right of column `value`, for what both sides have."""
        found = self.left.set_index(paired_by)[value] - self.right.set_index(paired_by)[value]
        return [float(difference) for difference in found.dropna().sort_index()]


def selected(frame: pd.DataFrame, selector: Selector) -> pd.DataFrame:
    """Rows of `frame` that have every value of `selector`."""
    for name, wanted in selector.items():
        frame = frame[frame[name].isin(wanted if isinstance(wanted, list) else [wanted]).fillna(False).astype(bool)]
    return frame


def settings_of(frame: pd.DataFrame, results: ResultsTable) -> list[pd.DataFrame]:
    """Rows of each setting: those that differ in the seed alone."""
    return [group for _, group in frame.groupby(list(KEYS[results]), dropna=False)]


def cases_of(frame: pd.DataFrame, claim: Claim) -> list[Case]:
    """Every pair of settings in `frame` that puts `claim` to the test, by label."""
    lefts = settings_of(selected(frame, {**claim.where, **claim.left}), claim.results)
    rights = settings_of(selected(frame, {**claim.where, **claim.right}), claim.results)
    changing = {*claim.left, *claim.right, *claim.free}
    held = [name for name in KEYS[claim.results] if name not in changing]
    pairs = [(left, right) for left in lefts for right in rights if _setting(left, held) == _setting(right, held)]
    varying = list(_varying([left for left, _ in pairs], KEYS[claim.results]))
    labels = [_label(left, varying) for left, _ in pairs]
    if len(set(labels)) < len(labels):
        others = list(_varying([right for _, right in pairs], KEYS[claim.results]))
        labels = [f"{label} against {_label(right, others)}" for label, (_, right) in zip(labels, pairs, strict=True)]
    return [Case(label, left, right) for label, (left, right) in zip(labels, pairs, strict=True)]


def has(case: Case, selector: Selector) -> bool:
    """Whether the left side of `case` has every value of `selector`."""
    return not selected(case.left, selector).empty


def _setting(rows: pd.DataFrame, names: Sequence[str]) -> list[Any]:
    return [None if pd.isna(value) else value for value in rows.iloc[0][list(names)]]


def _varying(settings: Sequence[pd.DataFrame], names: Sequence[str]) -> Iterator[str]:
    differing = [name for name in names if len({str(rows.iloc[0][name]) for rows in settings}) > 1]
    for name in differing:
        if name not in _NAMED_FIRST and TOLD_BY.get(name) not in differing:
            yield name


def _label(rows: pd.DataFrame, varying: Sequence[str]) -> str:
    first = rows.iloc[0]
    named = [str(first[name]) for name in _NAMED_FIRST]
    return ", ".join([*named, *(f"{name} {first[name]}" for name in varying)])
