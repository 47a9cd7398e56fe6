"""How moved labels decay with the distance from their key frame."""

from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from borderlab.report.settings import dataset_slugs, slug
from borderlab.report.style import (
    DASHES,
    FULL_WIDTH_IN,
    MOTION_COLOURS,
    MUTED,
    RULE,
    colours,
    key_line,
    legend_above,
    ordered,
    panels,
    plain,
    save_figure,
)
from borderlab.report.tabulate import Tables

SHOWN = {
    "miou_pct": "mIoU (%)",
    "boundary_miou_pct": "mIoU near object borders (%)",
    "errors_in_3x3_pct": "Errors with the true class\nin the 3×3 neighbourhood (%)",
    "void_pct": "Void pixels (%)",
}
VOID_DASHES = {True: DASHES[0], False: DASHES[1]}
VOID_LABELS = {True: "occluded pixels void", False: "occluded pixels kept"}


def draw(tables: Tables, folder: Path) -> list[Path]:
    """One figure for each data set and split whose labels were moved."""
    slugs = dataset_slugs(tables)
    paths = []
    for dataset, own in tables["propagation"].groupby("dataset"):
        for split, rows in own.groupby("split"):
            paths.append(_draw_dataset(rows, folder / f"distance-{slugs[str(dataset)]}-{slug(str(split))}.svg"))
    return paths


def _draw_dataset(rows: pd.DataFrame, path: Path) -> Path:
    figure, grid = panels(2, 2, FULL_WIDTH_IN / 2, 2.35, sharex=True)
    motions = ordered(rows["motion"], MOTION_COLOURS)
    palette = colours(motions, MOTION_COLOURS)
    for axes, (column, label) in zip([panel for row in grid for panel in row], SHOWN.items(), strict=True):
        _draw_measure(axes, rows, column, palette)
        plain(axes, title=label)
    for axes in grid[-1]:
        axes.set_xlabel("Distance from the key frame (frames)")
    voids = sorted(set(rows["void_occluded"]), reverse=True)
    keys = [key_line(motion, palette[motion], "o") for motion in motions]
    if len(voids) > 1:
        keys += [key_line(VOID_LABELS[void], MUTED, dashes=VOID_DASHES[void]) for void in voids]
    legend_above(figure, keys)
    return save_figure(figure, path, rows)


def _draw_measure(axes: Axes, rows: pd.DataFrame, column: str, palette: dict[str, str]) -> None:
    # Lines end on either side of the key frame: there is nothing to measure at distance 0.
    side = rows.assign(side=rows["distance"] > 0).dropna(subset=[column])
    axes.axvline(0, color=RULE, linewidth=1, zorder=1)
    sns.lineplot(
        data=side,
        x="distance",
        y=column,
        hue="motion",
        hue_order=list(palette),
        palette=palette,
        style="void_occluded",
        style_order=[True, False],
        dashes=list(VOID_DASHES.values()) if rows["void_occluded"].nunique() > 1 else False,
        units="side",
        estimator=None,
        marker="o",
        markersize=4.5,
        markeredgewidth=0,
        legend=False,
        ax=axes,
    )
    ticks = sorted({0, *rows["distance"]})
    axes.set_xticks(ticks, [f"{tick:+d}" if tick else "key" for tick in ticks])
    axes.margins(y=0.1)
