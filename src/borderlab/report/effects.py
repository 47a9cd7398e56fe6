"""The spread of results over seeds, and what one factor changes while all others stay equal."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from borderlab.report.image_intervals import ImageInterval
from borderlab.report.rows import Row, records
from borderlab.report.schemas import FACTORS, MEASURES, SCHEMAS, TOLD_BY
from borderlab.statistics.differences import Difference, paired_difference, spread
from borderlab.statistics.families import holm
from borderlab.statistics.power import minimum_detectable_effect


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


def _with_repeats(factor: str) -> tuple[str, ...]:
    return (factor, *(name for name, text in TOLD_BY.items() if text == factor))


PADDING = Comparison("padding_mode", "zeros", _with_repeats("padding_mode"))
PROPAGATION = Comparison("propagation", "none", _with_repeats("propagation"))
LOSS = Comparison("loss", "cross_entropy", _with_repeats("loss"))
COMPARISONS = (PADDING, PROPAGATION, LOSS)

# The measure whose images are counted one by one.
EVALUATED = "evaluation"
_NO_INTERVAL = (math.nan, math.nan)


def paired_effects(runs: pd.DataFrame, over_images: ImageInterval) -> pd.DataFrame:
    """Table `effects`: each comparison, wherever a setting has both the baseline and another value of the factor.

    Args:
        runs: table `runs`.
        over_images: gives the interval over images of the final weights' differences.
    """
    rows = [row for comparison in COMPARISONS for row in _effects(runs, comparison, over_images)]
    return pd.DataFrame(rows, columns=list(SCHEMAS["effects"].columns))


def summarise(runs: pd.DataFrame, effects: pd.DataFrame) -> pd.DataFrame:
    """Table `summary`: spread over seeds, with the paired difference to zeros padding where there is one."""
    rows = [row for _, group in runs.groupby(list(FACTORS), dropna=False) for row in _summary_rows(group)]
    differences = {_key(row): row for row in records(effects) if row["factor"] == PADDING.factor}
    without = _difference_values(paired_difference([]), _NO_INTERVAL)
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


def _effects(runs: pd.DataFrame, comparison: Comparison, over_images: ImageInterval) -> Iterator[Row]:
    for _, setting in runs.groupby(comparison.held, dropna=False):
        baseline = setting[setting[comparison.factor] == comparison.baseline]
        others = setting[setting[comparison.factor] != comparison.baseline]
        if baseline.empty:
            continue
        for measure in MEASURES:
            rows = [
                _effect_row(group, baseline, comparison, measure, over_images)
                for _, group in others.groupby(comparison.factor)
            ]
            yield from with_corrected(rows)


def _effect_row(
    group: pd.DataFrame, baseline: pd.DataFrame, comparison: Comparison, measure: str, over_images: ImageInterval
) -> Row:
    own = {"factor": comparison.factor, "baseline": comparison.baseline, "measure": measure}
    own |= records(group[[*FACTORS, "metric"]].head(1))[0]
    found = paired_difference(seed_differences(group, baseline, f"{measure}_pct").tolist())
    images = _over_images(group, baseline, over_images) if measure == EVALUATED else _NO_INTERVAL
    return {**own, **_difference_values(found, images), **tested(found, group, baseline)}


def _over_images(group: pd.DataFrame, baseline: pd.DataFrame, over_images: ImageInterval) -> tuple[float, float]:
    """Ends of the interval over images of the mean difference over the seeds that both sides have."""
    names = (group.set_index("seed")["run"], baseline.set_index("seed")["run"])
    seeds = sorted(set(names[0].index) & set(names[1].index))
    pairs = [(str(names[0][seed]), str(names[1][seed])) for seed in seeds]
    return over_images(pairs, str(group["metric"].iloc[0])) if pairs else _NO_INTERVAL


def seed_differences(group: pd.DataFrame, baseline: pd.DataFrame, column: str) -> "pd.Series[float]":
    """`column` of `group` minus that of `baseline`, for the seeds that both have, by seed."""
    return (group.set_index("seed")[column] - baseline.set_index("seed")[column]).dropna().sort_index()


def tested(found: Difference, group: pd.DataFrame, baseline: pd.DataFrame) -> Row:
    """P-value of a difference and the runs of its sides; NaN where equal differences leave no spread to judge by."""
    p_value = found.p_value() if found.se > 0 else math.nan
    return {"p_value": p_value, "runs": _names(group), "baseline_runs": _names(baseline)}


def with_corrected(rows: list[Row]) -> Iterator[Row]:
    """Each row with its p-value corrected for the number of all."""
    for row, corrected in zip(rows, holm([row["p_value"] for row in rows]), strict=True):
        yield {**row, "p_holm": corrected}


def _names(runs: pd.DataFrame) -> str:
    return "; ".join(sorted(runs["run"]))


def difference_values(found: Difference) -> dict[str, float]:
    """A paired difference and its interval over seeds, by column."""
    return {
        "n_pairs": found.n,
        "difference_pct": found.mean,
        "difference_low_pct": found.low,
        "difference_high_pct": found.high,
    }


def _difference_values(found: Difference, images: tuple[float, float]) -> dict[str, float]:
    return {
        **difference_values(found),
        "images_low_pct": images[0],
        "images_high_pct": images[1],
        "detectable_pct": minimum_detectable_effect(found.sd, found.n),
    }


def _key(row: Row) -> tuple[Any, ...]:
    """The setting and measure of a row; absent values compare equal."""
    values = [row[name] for name in (*FACTORS, "measure")]
    return tuple(None if pd.isna(value) else value for value in values)
