"""What runs cost: wall time and memory, by padding mode."""

from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from borderlab.report.effects import LOSS, PADDING, PROPAGATION, Comparison
from borderlab.report.settings import Setting, by_dataset, dataset_slugs, rows_of, settings
from borderlab.report.style import (
    FULL_WIDTH_IN,
    GRID,
    PADDING_COLOURS,
    colours,
    key_line,
    legend_above,
    padding_order,
    panels,
    plain,
    save_figure,
)
from borderlab.report.tabulate import Tables

# Runs of one network with one recipe cost much the same, whatever the samples and the loss.
COST = Comparison(
    PADDING.factor,
    PADDING.baseline,
    (*PADDING.columns, *PROPAGATION.columns, *LOSS.columns, "weights", "keyframes", "train_split", "eval_split"),
)
SHOWN = {"wall_time_s": "Wall time of one training job (s)", "peak_memory_mb": "Peak memory of its process (MB)"}


def draw(tables: Tables, folder: Path) -> list[Path]:
    """One figure for each data set."""
    found = by_dataset(settings(tables["runs"], COST, least=1))
    slugs = dataset_slugs(tables)
    return [_draw_dataset(own, folder / f"cost-{slugs[dataset]}.svg") for dataset, own in found.items()]


def _draw_dataset(found: list[Setting], path: Path) -> Path:
    rows = pd.concat([setting.rows.assign(heading=setting.heading) for setting in found])
    modes = padding_order(rows["padding_mode"])
    palette = colours(modes, PADDING_COLOURS)
    figure, [grid] = panels(1, 2, FULL_WIDTH_IN / 2, 0.55 * len(found) + 0.8, sharey=True)
    for axes, (column, label) in zip(grid, SHOWN.items(), strict=True):
        _draw_measure(axes, rows, column, palette)
        plain(axes, x=label)
    legend_above(figure, [key_line(mode, palette[mode], "o") for mode in modes])
    return save_figure(figure, path, rows_of(found, ("padding_mode", "seed", *SHOWN, "run")))


def _draw_measure(axes: Axes, rows: pd.DataFrame, column: str, palette: dict[str, str]) -> None:
    sns.stripplot(
        data=rows,
        y="heading",
        x=column,
        hue="padding_mode",
        hue_order=list(palette),
        palette=palette,
        orient="h",
        dodge=len(palette) > 1,
        jitter=False,
        size=5,
        alpha=0.7,
        linewidth=0,
        legend=False,
        ax=axes,
    )
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color=GRID)
    axes.spines["left"].set_visible(False)
    axes.set_xlim(0, 1.08 * float(rows[column].max()))
