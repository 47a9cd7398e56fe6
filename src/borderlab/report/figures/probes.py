"""What padding does at the border: cross-tests, ring profiles, position leak and shift consistency of the probes."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from borderlab.report.figures.cross_test import draw_cross_tests
from borderlab.report.figures.rings import ring_label
from borderlab.report.probe_schemas import CONSTANTS
from borderlab.report.settings import WEIGHTS_TEXTS, unique_slugs
from borderlab.report.style import (
    FULL_WIDTH_IN,
    PADDING_COLOURS,
    colours,
    key_line,
    legend_above,
    markers,
    padding_order,
    panels,
    plain,
    save_svg,
)
from borderlab.report.tabulate import Tables

PROFILE_LABELS = {"magnitude_ratio": "Magnitude / interior", "mean_shift_sd": "Shift of means (sd)"}
MAX_STAGES = 6


def draw(tables: Tables, folder: Path) -> list[Path]:
    """One figure of each kind for each probe and network that has numbers for it."""
    paths = []
    for kind, draw_one in (
        ("cross-test", draw_cross_tests),
        ("ring-profile", _draw_profile),
        ("position-leak", _draw_leak),
        ("shift", _draw_shift),
    ):
        for name, rows in probe_parts(tables, kind):
            paths.append(draw_one(rows, folder / f"{name}.svg"))
    return paths


def probe_parts(tables: Tables, kind: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """File stem and rows of each figure of one kind: one for each probe, backbone and first weights."""
    table = KINDS[kind]
    slugs = probe_slugs(tables)
    for (probe, backbone, weights), rows in tables[table].groupby(["probe", "backbone", "weights"]):
        shown = rows if kind == "cross-test" else own_padding(rows)
        if not shown.empty:
            yield f"{kind}-{slugs[f'{probe} {backbone} {weights}']}", shown


KINDS = {
    "cross-test": "cross_test",
    "ring-profile": "border_profile",
    "position-leak": "position_leak",
    "shift": "shift_consistency",
}


def probe_slugs(tables: Tables) -> dict[str, str]:
    """A slug for each probe, backbone and first weights."""
    keys = pd.concat([tables[name][["probe", "backbone", "weights"]] for name in KINDS.values()]).drop_duplicates()
    return unique_slugs(sorted(" ".join(row) for row in keys.itertuples(index=False)))


def own_padding(rows: pd.DataFrame) -> pd.DataFrame:
    """Runs with the padding that they were trained with; networks that were not trained here with every padding."""
    return rows[rows["seed"].isna() | (rows["tested_mode"] == rows["trained_mode"])]


def heading(rows: pd.DataFrame) -> str:
    """Probe, network and data set of the rows of one figure."""
    first = rows.iloc[0]
    weights = weights_text(first["weights"], is_run=bool(rows["seed"].notna().any()))
    return f"{first['probe']}: {first['backbone']}, {weights}, {first['dataset']}"


def weights_text(weights: str, *, is_run: bool) -> str:
    """Where weights come from: a run's are trained, whatever it began with."""
    text = WEIGHTS_TEXTS.get(weights, weights)
    return f"trained from {text}" if is_run else text


def _draw_profile(rows: pd.DataFrame, path: Path) -> Path:
    stages = sorted(rows["stage"].unique())[-MAX_STAGES:]
    figure, grid = panels(len(PROFILE_LABELS), len(stages), FULL_WIDTH_IN / len(stages), 2.1)
    for line, (column, label) in zip(grid, PROFILE_LABELS.items(), strict=True):
        for axes, stage in zip(line, stages, strict=True):
            own = rows[rows["stage"] == stage]
            _draw_rings(axes, own, column)
            size = f"{own['map_height'].iloc[0]}×{own['map_width'].iloc[0]}"
            top, left = line is grid[0], axes is line[0]
            plain(axes, title=f"Stage {stage}\n{size}" if top else "", y=label if left else "")
            axes.set_xlabel("" if top else "Cells from border")
    _legend(figure, rows)
    return save_svg(figure, path)


def _draw_leak(rows: pd.DataFrame, path: Path) -> Path:
    # A network without biases maps the mean image to zero everywhere: no magnitude to measure against, and no panel.
    measured = rows.dropna(subset=["deviation"])
    constants = [name for name in CONSTANTS if name in set((rows if measured.empty else measured)["constant"])]
    figure, [line] = panels(1, len(constants), FULL_WIDTH_IN / len(constants), 2.4, sharey=True)
    for axes, constant in zip(line, constants, strict=True):
        own = rows[(rows["constant"] == constant) & (rows["from_px"] == 0)]
        _draw_points(axes, own.assign(x=own["stage"].astype(str)).sort_values("stage"), "deviation")
        left = axes is line[0]
        plain(axes, title=f"Image: {constant}", x="Stage", y="Deviation of the outermost ring" if left else "")
    _legend(figure, rows)
    return save_svg(figure, path)


def _draw_shift(rows: pd.DataFrame, path: Path) -> Path:
    figure, [[left, right]] = panels(1, 2, FULL_WIDTH_IN / 2, 2.5)
    deepest = farthest_deepest(rows)
    _draw_same(left, rows[rows["level"] == "prediction"], deepest)
    right.set_visible(not deepest.empty)
    if not deepest.empty:
        _draw_rings(right, deepest, "relative_change")
        place = f"{deepest['level'].iloc[0].capitalize()}, {_shift_text(deepest.iloc[0])}"
        plain(right, title=place, x="Cells from the nearer border", y="Relative change")
    _legend(figure, rows)
    return save_svg(figure, path)


def farthest_deepest(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the deepest level that was compared, at its farthest shift: what a whole network makes of it."""
    compared = rows[rows["relative_change"].notna()]
    if compared.empty:
        return compared
    deepest = compared[compared["level"] == max(compared["level"].unique(), key=_depth)]
    distance = deepest["dy_px"] + deepest["dx_px"]
    return deepest[distance == distance.max()]


def _draw_same(axes: Axes, predictions: pd.DataFrame, logits: pd.DataFrame) -> None:
    """Equal predictions: of whole images by shift, or of pixels by their distance from the nearer border."""
    if predictions.empty:
        _draw_rings(axes, logits, "same_pct")
        plain(axes, title="Pixels with the same class", x="Pixels from the nearer border", y="Share (%)")
        return
    shifts = [_shift_text(row) for _, row in predictions.iterrows()]
    _draw_points(axes, predictions.assign(x=shifts).sort_values(["dy_px", "dx_px"]), "same_pct")
    plain(axes, title="Images with the same first guess", x="Shift (down, right)", y="Share (%)")


def _depth(level: str) -> int:
    return 1000 if level == "logits" else int(level.split(" ")[1])


def _shift_text(row: "pd.Series[int]") -> str:
    return f"{row['dy_px']}, {row['dx_px']} px"


def _draw_rings(axes: Axes, rows: pd.DataFrame, column: str) -> None:
    names = [ring_label(*ends) for ends in zip(rows["from_px"], rows["to_px"], strict=True)]
    _draw_points(axes, rows.assign(x=names).sort_values("from_px"), column)
    axes.tick_params(axis="x", labelsize=6.5, rotation=45)


def _draw_points(axes: Axes, rows: pd.DataFrame, column: str) -> None:
    modes = padding_order(rows["tested_mode"])
    sns.pointplot(
        data=rows.dropna(subset=[column]),
        x="x",
        y=column,
        hue="tested_mode",
        hue_order=modes,
        palette=colours(modes, PADDING_COLOURS),
        markers=[markers(modes)[mode] for mode in modes],
        errorbar="sd",
        linewidth=1.4,
        markersize=4,
        markeredgewidth=0,
        err_kws={"linewidth": 1},
        legend=False,
        ax=axes,
    )
    axes.margins(y=0.1)


def _legend(figure: Figure, rows: pd.DataFrame) -> None:
    modes = padding_order(rows["tested_mode"])
    palette = colours(modes, PADDING_COLOURS)
    legend_above(figure, [key_line(mode, palette[mode], markers(modes)[mode]) for mode in modes])
