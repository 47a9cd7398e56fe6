"""The spread of results over seeds, and what one factor changes while all others stay equal."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from borderlab.report.rows import Row, records
from borderlab.report.schemas import FACTORS, MEASURES, SCHEMAS
from borderlab.statistics.differences import Difference, paired_difference, spread


@dataclass(frozen=True)
class Comparison:
    """A factor whose values are compared with a baseline; `columns` are the factors that change along with it."""

    factor: str
    baseline: str
    columns: tuple[str, ...]

    @property
    def held(self) -> list[str]:
        """Factors that must be equal on both sides."""
        return [name for name in FACTORS if name not in self.columns]


PADDING = Comparison("padding_mode", "zeros", ("padding_mode",))
PROPAGATION = Comparison(
    "propagation", "none", ("propagation", "propagation_kind", "motion", "max_distance", "void_occluded")
)
LOSS = Comparison("loss", "cross_entropy", ("loss", "relax_radius_px"))
COMPARISONS = (PADDING, PROPAGATION, LOSS)


def paired_effects(runs: pd.DataFrame) -> pd.DataFrame:
    """Table `effects`: each comparison, wherever a setting has both the baseline and another value of the factor."""
    rows = [row for comparison in COMPARISONS for row in _effects(runs, comparison)]
    return pd.DataFrame(rows, columns=list(SCHEMAS["effects"].columns))


def summarise(runs: pd.DataFrame, effects: pd.DataFrame) -> pd.DataFrame:
    """Table `summary`: spread over seeds, with the paired difference to zeros padding where there is one."""
    rows = [row for _, group in runs.groupby(list(FACTORS), dropna=False) for row in _summary_rows(group)]
    differences = {_key(row): row for row in records(effects) if row["factor"] == PADDING.factor}
    without = _difference_values(paired_difference([]))
    names = list(without)
    for row in rows:
        found = differences.get(_key(row))
        row.update(without if found is None else {name: found[name] for name in names})
    return pd.DataFrame(rows, columns=list(SCHEMAS["summary"].columns))


def _summary_rows(group: pd.DataFrame) -> Iterator[Row]:
    own = records(group[[*FACTORS, "metric"]].head(1))[0]
    for measure in MEASURES:
        found = asdict(spread(group[f"{measure}_pct"].tolist()))
        names = ("n_seeds", "mean_pct", "sd_pct", "min_pct", "max_pct")
        values = dict(zip(names, found.values(), strict=True))
        yield {**own, "measure": measure, **values, "runs": _names(group)}


def _effects(runs: pd.DataFrame, comparison: Comparison) -> Iterator[Row]:
    for _, setting in runs.groupby(comparison.held, dropna=False):
        baseline = setting[setting[comparison.factor] == comparison.baseline]
        others = setting[setting[comparison.factor] != comparison.baseline]
        if baseline.empty:
            continue
        for _, group in others.groupby(comparison.factor):
            yield from _effect_rows(group, baseline, comparison)


def _effect_rows(group: pd.DataFrame, baseline: pd.DataFrame, comparison: Comparison) -> Iterator[Row]:
    own = {"factor": comparison.factor, "baseline": comparison.baseline}
    own |= records(group[[*FACTORS, "metric"]].head(1))[0]
    for measure in MEASURES:
        found = paired_difference(seed_differences(group, baseline, f"{measure}_pct").tolist())
        names = {"runs": _names(group), "baseline_runs": _names(baseline)}
        yield {**own, "measure": measure, **_difference_values(found), **names}


def seed_differences(group: pd.DataFrame, baseline: pd.DataFrame, column: str) -> "pd.Series[float]":
    """`column` of `group` minus that of `baseline`, for the seeds that both have, by seed."""
    return (group.set_index("seed")[column] - baseline.set_index("seed")[column]).dropna().sort_index()


def _names(runs: pd.DataFrame) -> str:
    return "; ".join(sorted(runs["run"]))


def _difference_values(found: Difference) -> dict[str, float]:
    return {
        "n_pairs": found.n,
        "difference_pct": found.mean,
        "difference_low_pct": found.low,
        "difference_high_pct": found.high,
    }


def _key(row: Row) -> tuple[Any, ...]:
    """The setting and measure of a row; absent values compare equal."""
    values = [row[name] for name in (*FACTORS, "measure")]
    return tuple(None if pd.isna(value) else value for value in values)
