"""Settings: groups of results that differ in one comparison's factor (and the seed) and in nothing else."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from borderlab.report.effects import PADDING, Comparison
from borderlab.report.schemas import FACTORS

# Factors that a title may have to name, and how; the others follow from these.
WEIGHTS_TEXTS = {"random": "random weights", "wheel": "ImageNet weights", "timm": "timm's weights"}
_TITLE_PARTS = {
    "weights": "{}",
    "padding_mode": "{} padding",
    "propagation": "propagation {}",
    "loss": "{}",
    "keyframes": "key frames {}",
    "train_split": "trained on {}",
    "eval_split": "evaluated on {}",
    "recipe": "recipe {}",
}


@dataclass(frozen=True)
class Setting:
    """One group of rows that may be compared with each other."""

    dataset: str
    metric: str
    title: str
    detail: str
    rows: pd.DataFrame

    @property
    def heading(self) -> str:
        """Title and detail in two lines."""
        return f"{self.title}\n{self.detail}" if self.detail else self.title


def settings(table: pd.DataFrame, comparison: Comparison = PADDING, least: int = 2) -> list[Setting]:
    """Settings of `table` with at least `least` values of the comparison's factor, sorted by data set.

    Args:
        table: a table with all factors and `metric`, such as `runs` or `summary`.
        comparison: what may differ within a setting.
        least: how many of its values a setting must have.
    """
    groups = [rows for _, rows in table.groupby(comparison.held, dropna=False)]
    groups = [rows for rows in groups if rows[comparison.factor].nunique() >= least]
    return [_setting(rows, _varying(groups, rows, comparison)) for rows in groups]


def rows_of(found: Sequence[Setting], columns: Sequence[str]) -> pd.DataFrame:
    """Columns of all rows of several settings, with data set, title and detail of each in front."""
    heads = ("dataset", "network", "setting")
    parts = []
    for setting in found:
        names = dict(zip(heads, (setting.dataset, setting.title, setting.detail), strict=True))
        parts.append(setting.rows[list(columns)].assign(**names))
    return pd.concat(parts)[[*heads, *columns]]


def by_dataset(found: Sequence[Setting]) -> dict[str, list[Setting]]:
    """Settings by data set, in their order."""
    groups: dict[str, list[Setting]] = {}
    for setting in found:
        groups.setdefault(setting.dataset, []).append(setting)
    return groups


def slug(*names: str) -> str:
    """`names` as one word that is safe in a file name, an id or a class."""
    return "-".join(re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "x" for name in names)


def unique_slugs(names: Sequence[str]) -> dict[str, str]:
    """A slug for each of `names`, all different."""
    slugs: dict[str, str] = {}
    for name in names:
        base = slug(name)
        taken = sum(1 for used in slugs.values() if used == base or used.startswith(f"{base}_"))
        slugs[name] = f"{base}_{taken + 1}" if taken else base
    return slugs


def dataset_slugs(tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """The slug of each data set of an experiment, the same in every figure's name."""
    names = {*tables["runs"]["dataset"], *tables["propagation"]["dataset"]}
    return unique_slugs(sorted(names))


def _setting(rows: pd.DataFrame, varying: Sequence[str]) -> Setting:
    first = rows.iloc[0]
    parts = [_TITLE_PARTS[name].format(WEIGHTS_TEXTS.get(first[name], first[name])) for name in varying]
    return Setting(first["dataset"], first["metric"], first["backbone"], ", ".join(parts), rows)


def _varying(groups: Sequence[pd.DataFrame], rows: pd.DataFrame, comparison: Comparison) -> list[str]:
    """Factors that tell `rows` from the other settings of its data set, or are worth naming anyway."""
    dataset = rows.iloc[0]["dataset"]
    firsts = pd.DataFrame([group.iloc[0][list(FACTORS)] for group in groups if group.iloc[0]["dataset"] == dataset])
    held = [name for name in _TITLE_PARTS if name in comparison.held]
    varying = [name for name in held if firsts[name].nunique() > 1]
    if "weights" in held and "weights" not in varying and rows.iloc[0]["weights"] != "random":
        varying.insert(0, "weights")
    return varying
