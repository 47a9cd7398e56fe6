"""Training curves: validated metric and training loss over epochs, one panel row for each setting."""

from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from borderlab.report.effects import PADDING
from borderlab.report.figures.training import TRAINING, propagation_order
from borderlab.report.rows import with_factors
from borderlab.report.settings import Setting, by_dataset, dataset_slugs, rows_of, settings
from borderlab.report.style import (
    DASHES,
    FULL_WIDTH_IN,
    INK,
    KIND_COLOURS,
    METRIC_LABELS,
    PADDING_COLOURS,
    SPARE_COLOURS,
    colours,
    key_line,
    padding_order,
    panels,
    plain,
    save_figure,
)
from borderlab.report.tabulate import Tables

ROW_COLUMNS = ("padding_mode", "propagation", "loss", "seed", "epoch", "metric_pct", "train_loss", "run")
FEW_EPOCHS = 5


@dataclass(frozen=True)
class Arms:
    """How the runs of one panel are told apart: a column for the colour, one for the dashes."""

    colour: str
    palette: dict[str, str]
    dash: str
    dashes: dict[str, object]


def draw(tables: Tables, folder: Path) -> list[Path]:
    """One figure for each data set."""
    found = curve_settings(tables)
    slugs = dataset_slugs(tables)
    return [_draw_dataset(own, folder / f"curves-{slugs[dataset]}.svg") for dataset, own in found.items()]


def curve_settings(tables: Tables) -> dict[str, list[Setting]]:
    """What is drawn by data set: settings that compare padding, then those that compare anything else."""
    curves = with_factors(tables["curves"], tables["runs"])
    curves = curves.assign(arm=curves["propagation"] + " / " + curves["loss"])
    paddings = settings(curves, PADDING)
    shown = {run for setting in paddings for run in setting.rows["run"]}
    trainings = settings(curves, TRAINING)
    compared = shown | {run for setting in trainings for run in setting.rows["run"]}
    alone = settings(curves[~curves["run"].isin(compared)], PADDING, least=1)
    return by_dataset([*paddings, *trainings, *alone])


def _draw_dataset(found: list[Setting], path: Path) -> Path:
    figure, grid = panels(len(found), 2, FULL_WIDTH_IN / 2, 2.45, sharex="row")
    for (left, right), setting in zip(grid, found, strict=True):
        arms = _arms(setting.rows)
        _draw_curves(left, setting.rows, "metric_pct", arms)
        plain(left, title=setting.heading, y=METRIC_LABELS[setting.metric])
        _draw_curves(right, setting.rows, "train_loss", arms)
        plain(right, title="\n" if setting.detail else "", y="Training loss")
        _add_keys(right, arms)
    for row in grid:
        for axes in row:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in grid[-1]:
        axes.set_xlabel("Epoch")
    return save_figure(figure, path, rows_of(found, ROW_COLUMNS))


def _arms(rows: pd.DataFrame) -> Arms:
    losses = sorted(set(rows["loss"]))
    dashes = {loss: DASHES[k % len(DASHES)] for k, loss in enumerate(losses)}
    if rows["propagation"].nunique() == 1:
        palette = colours(padding_order(rows["padding_mode"]), PADDING_COLOURS)
        return Arms("padding_mode", palette, "loss", dashes)
    names = propagation_order(set(rows["propagation"]))
    return Arms("propagation", _propagation_palette(names), "loss", dashes)


def _propagation_palette(names: list[str]) -> dict[str, str]:
    """Colours of propagations: the kind's own for its first distance, spare ones for others."""
    palette: dict[str, str] = {}
    spare = cycle(colour for colour in SPARE_COLOURS if colour not in KIND_COLOURS.values())
    for name in names:
        own = KIND_COLOURS[name.split(" ")[0]]
        palette[name] = next(spare) if own in palette.values() else own
    return palette


def _draw_curves(axes: Axes, rows: pd.DataFrame, column: str, arms: Arms) -> None:
    drawn = rows.dropna(subset=[column])
    common = {"data": drawn, "x": "epoch", "y": column, "hue": arms.colour, "palette": arms.palette, "ax": axes}
    common |= {"hue_order": list(arms.palette), "style": arms.dash, "style_order": list(arms.dashes)}
    common |= {"dashes": arms.dashes, "legend": False}
    if drawn["epoch"].nunique() <= FEW_EPOCHS:
        # A run that was validated once has no line.
        common |= {"marker": "o", "markersize": 4, "markeredgewidth": 0}
    sns.lineplot(**common, units="run", estimator=None, linewidth=0.7, alpha=0.35)
    sns.lineplot(**common, estimator="mean", errorbar=None, linewidth=1.7)


def _add_keys(axes: Axes, arms: Arms) -> None:
    keys = [key_line(name, colour) for name, colour in arms.palette.items()]
    if len(arms.dashes) > 1:
        keys += [key_line(name, INK, dashes=dash) for name, dash in arms.dashes.items()]
    axes.legend(handles=keys, loc="upper left", bbox_to_anchor=(1.0, 1.0))
