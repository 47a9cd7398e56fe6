"""What propagated samples and the loss change in training."""

from pathlib import Path

import seaborn as sns
from matplotlib.axes import Axes

from borderlab.report.effects import LOSS, PROPAGATION, Comparison
from borderlab.report.settings import Setting, by_dataset, dataset_slugs, rows_of, settings
from borderlab.report.style import (
    FULL_WIDTH_IN,
    KIND_COLOURS,
    METRIC_LABELS,
    hide_unused,
    key_line,
    legend_above,
    ordered,
    panels,
    plain,
    save_figure,
)
from borderlab.report.tabulate import Tables

# Propagation and loss may both differ within one panel: the one is the axis, the other the colour.
TRAINING = Comparison("arm", "none / cross_entropy", (*PROPAGATION.columns, *LOSS.columns))
LOSS_COLOURS = ("#6f7782", "#d55e00", "#0072b2", "#aa4499")
COLUMNS = 2
ROW_COLUMNS = ("propagation", "loss", "seed", "evaluation_pct", "run")


def draw(tables: Tables, folder: Path) -> list[Path]:
    """One figure for each data set on which propagation or loss can be compared."""
    runs = tables["runs"]
    found = by_dataset(settings(runs.assign(arm=runs["propagation"] + " / " + runs["loss"]), TRAINING))
    slugs = dataset_slugs(tables)
    return [_draw_dataset(own, folder / f"training-{slugs[dataset]}.svg") for dataset, own in found.items()]


def propagation_order(names: "set[str]") -> list[str]:
    """Propagations by kind (none, label, joint, true), then by distance."""
    kinds = list(KIND_COLOURS)
    return sorted(names, key=lambda name: (kinds.index(name.split(" ")[0]), name))


def _draw_dataset(found: list[Setting], path: Path) -> Path:
    n_columns = min(COLUMNS, len(found))
    losses = ordered({loss for setting in found for loss in setting.rows["loss"]}, [LOSS.baseline])
    palette = {loss: LOSS_COLOURS[k % len(LOSS_COLOURS)] for k, loss in enumerate(losses)}
    n_arms = max(setting.rows["propagation"].nunique() for setting in found)
    width = FULL_WIDTH_IN / n_columns if n_columns > 1 else min(FULL_WIDTH_IN, 1.5 * n_arms + 1.6)
    figure, grid = panels(-(-len(found) // n_columns), n_columns, width, 2.8)
    axes = [panel for row in grid for panel in row]
    for panel, setting in zip(axes, found, strict=False):
        _draw_setting(panel, setting, palette)
    hide_unused(axes, len(found))
    legend_above(figure, [key_line(loss, colour, "o") for loss, colour in palette.items()])
    return save_figure(figure, path, rows_of(found, ROW_COLUMNS))


def _draw_setting(axes: Axes, setting: Setting, palette: dict[str, str]) -> None:
    rows = setting.rows.sort_values("seed")
    order = propagation_order(set(rows["propagation"]))
    losses = [loss for loss in palette if loss in set(rows["loss"])]
    common = {"data": rows, "x": "propagation", "y": "evaluation_pct", "hue": "loss", "ax": axes, "order": order}
    common |= {"hue_order": losses, "palette": palette, "legend": False}
    sns.stripplot(**common, dodge=len(losses) > 1, jitter=False, size=5, alpha=0.5, linewidth=0, zorder=2)
    # Strips are dodged over 0.8 of a category, the means must follow them.
    shift = 0.8 * (1 - 1 / len(losses)) if len(losses) > 1 else False
    sns.pointplot(
        **common,
        dodge=shift,
        errorbar="sd",
        linestyle="none",
        marker="_",
        markersize=15,
        markeredgewidth=2.4,
        err_kws={"linewidth": 1.4},
        zorder=3,
    )
    plain(axes, title=setting.heading, y=METRIC_LABELS[setting.metric])
    axes.set_xticks(range(len(order)), [name.replace(" ", "\n", 2).replace("\n", " ", 1) for name in order])
    axes.margins(y=0.12)
