"""What padding changes: results by padding mode, and paired differences to zeros."""

from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from borderlab.report.effects import PADDING
from borderlab.report.rows import Row, records
from borderlab.report.settings import Setting, by_dataset, dataset_slugs, rows_of, settings
from borderlab.report.style import (
    FULL_WIDTH_IN,
    GRID,
    METRIC_LABELS,
    MUTED,
    PADDING_COLOURS,
    RULE,
    colours,
    hide_unused,
    key_line,
    legend_above,
    markers,
    padding_order,
    panels,
    plain,
    save_figure,
)
from borderlab.report.tabulate import Tables

COLUMNS = 3
VALUE_COLUMNS = ("padding_mode", "seed", "evaluation_pct", "run")
DIFFERENCE_COLUMNS = ("padding_mode", "n_pairs", "difference_pct", "difference_low_pct", "difference_high_pct")


def draw(tables: Tables, folder: Path) -> list[Path]:
    """Two figures for each data set on which padding modes can be compared."""
    found = by_dataset(settings(tables["runs"], PADDING))
    effects = tables["effects"]
    shown = effects[(effects["factor"] == PADDING.factor) & (effects["measure"] == "evaluation")]
    differences = by_dataset(settings(shown, PADDING, least=1))
    slugs = dataset_slugs(tables)
    paths = []
    for dataset, own in found.items():
        paths.append(_draw_values(own, folder / f"padding-{slugs[dataset]}.svg"))
        if dataset in differences:
            paths.append(_draw_differences(differences[dataset], folder / f"padding-difference-{slugs[dataset]}.svg"))
    return paths


def _draw_values(found: list[Setting], path: Path) -> Path:
    n_columns = min(COLUMNS, len(found))
    width = min(FULL_WIDTH_IN / n_columns, 4.6)
    figure, grid = panels(-(-len(found) // n_columns), n_columns, width, 2.6)
    axes = [panel for row in grid for panel in row]
    for panel, setting in zip(axes, found, strict=False):
        _draw_setting(panel, setting)
    hide_unused(axes, len(found))
    seed = key_line("one seed", MUTED, "o")
    seed.set(linestyle="none", alpha=0.5)
    mean = Line2D(
        [], [], color=MUTED, marker="_", markersize=11, markeredgewidth=2, linestyle="none", label="mean ± sd"
    )
    legend_above(figure, [mean, seed, key_line("same seed", RULE)])
    return save_figure(figure, path, rows_of(found, VALUE_COLUMNS))


def _draw_setting(axes: Axes, setting: Setting) -> None:
    rows = setting.rows.sort_values("seed")
    modes = padding_order(rows["padding_mode"])
    palette = colours(modes, PADDING_COLOURS)
    place = {mode: k for k, mode in enumerate(modes)}
    for _, own in rows.groupby("seed"):
        steps = own.assign(place=own["padding_mode"].map(place)).sort_values("place")
        axes.plot(steps["place"], steps["evaluation_pct"], color=RULE, linewidth=0.9, zorder=1)
    common = {"data": rows, "x": "padding_mode", "y": "evaluation_pct", "hue": "padding_mode", "ax": axes}
    common |= {"order": modes, "hue_order": modes, "palette": palette, "legend": False}
    sns.stripplot(**common, jitter=False, size=5, alpha=0.5, linewidth=0, zorder=2)
    sns.pointplot(
        **common,
        errorbar="sd",
        linestyle="none",
        marker="_",
        markersize=17,
        markeredgewidth=2.4,
        err_kws={"linewidth": 1.4},
        zorder=3,
    )
    plain(axes, title=setting.heading, y=METRIC_LABELS[setting.metric])
    axes.set_xlim(-0.5, len(modes) - 0.5)
    axes.margins(y=0.12)


def _draw_differences(found: list[Setting], path: Path) -> Path:
    rows = pd.concat([setting.rows.assign(heading=setting.heading) for setting in found])
    n_lines = len(rows) + len(found)
    figure, [[axes]] = panels(1, 1, FULL_WIDTH_IN, 0.25 * n_lines + 0.75)
    modes = padding_order(rows["padding_mode"])
    palette, shapes = colours(modes, PADDING_COLOURS), markers(modes)
    ticks: dict[float, str] = {}
    line = 0.0
    for setting in found:
        own = {row["padding_mode"]: row for row in records(setting.rows)}
        middle = line + (len(own) - 1) / 2
        ticks[middle] = setting.heading
        for mode in padding_order(own):
            _draw_interval(axes, own[mode], line, palette[mode], shapes[mode])
            line += 1
        line += 1
    axes.axvline(0, color=MUTED, linewidth=1, zorder=1)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color=GRID)
    plain(axes, x="Difference to zeros with the same seeds, in percentage points (mean, 95 % t interval)")
    axes.set_yticks(list(ticks), list(ticks.values()))
    axes.spines["left"].set_visible(False)
    axes.set_ylim(line - 1.2, -0.8)
    legend_above(figure, [key_line(mode, palette[mode], shapes[mode]) for mode in modes])
    return save_figure(figure, path, rows_of(found, DIFFERENCE_COLUMNS))


def _draw_interval(axes: Axes, row: Row, line: float, colour: str, marker: str) -> None:
    ends = [row["difference_low_pct"], row["difference_high_pct"]]
    axes.plot(ends, [line, line], color=colour, linewidth=1.8, zorder=2)
    axes.plot(row["difference_pct"], line, color=colour, marker=marker, markersize=6, markeredgewidth=0, zorder=3)
