"""How results change with the distance from the image border, by padding mode."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from borderlab.report.effects import PADDING, seed_differences
from borderlab.report.rows import with_factors
from borderlab.report.settings import Setting, by_dataset, dataset_slugs, rows_of, settings
from borderlab.report.style import (
    FULL_WIDTH_IN,
    MUTED,
    PADDING_COLOURS,
    colours,
    key_line,
    legend_above,
    markers,
    padding_order,
    panels,
    plain,
    save_figure,
)
from borderlab.report.tabulate import Tables

ROW_COLUMNS = ("padding_mode", "seed", "from_px", "to_px", "value_pct", "difference_pct", "run")


def draw(tables: Tables, folder: Path) -> list[Path]:
    """One figure for each data set with rings and more than one padding mode."""
    rings = with_factors(tables["rings"], tables["runs"])
    found = by_dataset(settings(rings.dropna(subset=["value_pct"]), PADDING))
    slugs = dataset_slugs(tables)
    return [_draw_dataset(own, folder / f"rings-{slugs[dataset]}.svg") for dataset, own in found.items()]


def ring_differences(rows: pd.DataFrame) -> pd.DataFrame:
    """Differences to zeros padding in each ring, seed by seed: from_px, to_px, padding_mode, seed, difference_pct."""
    found = []
    for (start, end), ring in rows.groupby(["from_px", "to_px"], dropna=False):
        baseline = ring[ring["padding_mode"] == PADDING.baseline]
        for mode, own in ring[ring["padding_mode"] != PADDING.baseline].groupby("padding_mode"):
            for seed, value in seed_differences(own, baseline, "value_pct").items():
                found.append((start, end, mode, seed, value))
    return pd.DataFrame(found, columns=["from_px", "to_px", "padding_mode", "seed", "difference_pct"])


def ring_label(from_px: int, to_px: int | None) -> str:
    """Text of a ring, such as `2–4` or `32+`."""
    return f"{from_px}+" if pd.isna(to_px) else f"{from_px}–{to_px}"


def _draw_dataset(found: list[Setting], path: Path) -> Path:
    figure, grid = panels(len(found), 2, FULL_WIDTH_IN / 2, 2.5)
    modes = padding_order(mode for setting in found for mode in setting.rows["padding_mode"])
    palette = colours(modes, PADDING_COLOURS)
    for (left, right), setting in zip(grid, found, strict=True):
        _draw_points(left, setting.rows, "value_pct", palette)
        plain(left, title=setting.heading, y="mIoU (%)")
        differences = ring_differences(setting.rows)
        right.axhline(0, color=palette.get(PADDING.baseline, MUTED), linewidth=1.6, zorder=1)
        _draw_points(right, differences, "difference_pct", palette)
        plain(right, title="Difference to zeros, same seeds\n" if setting.detail else "Difference to zeros, same seeds")
        right.set_ylabel("Percentage points")
    for axes in grid[-1]:
        axes.set_xlabel("Distance from the image border (px)")
    legend_above(figure, [key_line(mode, palette[mode], markers(modes)[mode]) for mode in modes])
    return save_figure(figure, path, rows_of([_with_differences(setting) for setting in found], ROW_COLUMNS))


def _with_differences(setting: Setting) -> Setting:
    """The setting with the difference to zeros of each row that has one."""
    keys = ["padding_mode", "seed", "from_px", "to_px"]
    return replace(setting, rows=setting.rows.merge(ring_differences(setting.rows), on=keys, how="left"))


def _draw_points(axes: Axes, rows: pd.DataFrame, column: str, palette: dict[str, str]) -> None:
    modes = padding_order(rows["padding_mode"])
    labelled = rows.assign(ring=[ring_label(*ends) for ends in zip(rows["from_px"], rows["to_px"], strict=True)])
    labelled = labelled.sort_values(["from_px", "seed"])
    sns.pointplot(
        data=labelled,
        x="ring",
        y=column,
        hue="padding_mode",
        hue_order=modes,
        palette=palette,
        dodge=0.12 * (len(modes) - 1) or False,
        errorbar="sd",
        markers=[markers(modes)[mode] for mode in modes],
        linewidth=1.4,
        markersize=5,
        markeredgewidth=0,
        err_kws={"linewidth": 1},
        legend=False,
        ax=axes,
    )
    axes.margins(y=0.1)
