"""The heat map of a cross-test: trained padding by tested padding."""

from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb

from borderlab.report.style import FULL_WIDTH_IN, INK, padding_order, panels, plain, save_figure

# The paint's strength alone shows the size, so that the page can turn both colours with its scheme.
LOSS_COLOUR, GAIN_COLOUR = "#d55e00", "#0072b2"
SATURATION_POINTS = 40
_STEPS = 40
_STRONGEST = 0.75

TITLES = {
    "top1_pct": "Top-1 (%), and change in points",
    "miou_pct": "mIoU (%), and change in points",
    "own_top1_pct": "Top-1 among the set's classes",
    "agreement_pct": "Same prediction as trained (%)",
}


def draw_cross_tests(rows: pd.DataFrame, path: Path) -> Path:
    """One panel for each measure, trained padding down, tested padding across; means over seeds."""
    shown = [measure for measure in TITLES if measure in set(rows["measure"])]
    n_trained = rows["trained_mode"].nunique()
    figure, [line] = panels(1, len(shown), FULL_WIDTH_IN / len(shown), 0.42 * n_trained + 1.0)
    for axes, measure in zip(line, shown, strict=True):
        _draw_measure(axes, rows, measure)
        axes.set_ylabel("Trained with" if axes is line[0] else "")
    return save_figure(figure, path, rows)


def cross_matrices(rows: pd.DataFrame, measure: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mean value and mean change, trained by tested padding; agreement changes from 100 %."""
    own = rows[rows["measure"] == measure]
    own = own.assign(change=own["value_pct"] - 100 if measure == "agreement_pct" else own["change_points"])
    means = own.groupby(["trained_mode", "tested_mode"])[["value_pct", "change"]].mean()
    value, change = (means[column].unstack("tested_mode") for column in ("value_pct", "change"))
    trained, tested = padding_order(value.index), padding_order(value.columns)
    return value.loc[trained, tested], change.loc[trained, tested]


def _draw_measure(axes: Axes, rows: pd.DataFrame, measure: str) -> None:
    value, change = cross_matrices(rows, measure)
    changed = measure != "agreement_pct"
    texts = [
        [_text(float(own), float(moved) if changed else None) for own, moved in zip(*line, strict=True)]
        for line in zip(value.to_numpy(), change.to_numpy(), strict=True)
    ]
    sns.heatmap(
        change,
        annot=pd.DataFrame(texts),
        fmt="",
        annot_kws={"color": INK, "size": 7},
        cmap=_paint(),
        vmin=-SATURATION_POINTS,
        vmax=SATURATION_POINTS,
        cbar=False,
        linewidths=0,
        ax=axes,
    )
    plain(axes, title=TITLES[measure], x="Tested with")
    axes.tick_params(axis="x", rotation=30)
    axes.tick_params(axis="y", rotation=0)
    axes.grid(visible=False)


def _paint() -> ListedColormap:
    """From a strong loss through nothing to a strong gain."""
    steps = [_STRONGEST * step / _STEPS for step in range(1, _STEPS + 1)]
    losses = [(*to_rgb(LOSS_COLOUR), strength) for strength in reversed(steps)]
    gains = [(*to_rgb(GAIN_COLOUR), strength) for strength in steps]
    return ListedColormap([*losses, (*to_rgb(LOSS_COLOUR), 0.0), *gains])


def _text(value: float, change: float | None) -> str:
    if change is None or value != value or change == 0:
        return "" if value != value else f"{value:.1f}"
    return f"{value:.1f}\n{change:+.1f}".replace("-", "\N{MINUS SIGN}")
