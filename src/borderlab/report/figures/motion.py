"""Training of motion models: held-out PSNR over epochs against copy and the flow that was given, and the loss."""

from pathlib import Path

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from borderlab.report.rows import records
from borderlab.report.settings import unique_slugs
from borderlab.report.style import (
    DASHES,
    FULL_WIDTH_IN,
    INK,
    SPARE_COLOURS,
    colours,
    key_line,
    legend_above,
    panels,
    plain,
    save_figure,
)
from borderlab.report.tabulate import Tables

LINES = {"learned": DASHES[0], "input_flow": DASHES[1], "copy": DASHES[2]}
LINE_LABELS = {"learned": "network", "input_flow": "flow that it was shown", "copy": "copy"}

ROW_COLUMNS = ("dataset", "model", "method", "epoch", "psnr_db", "train_loss")


def draw(tables: Tables, folder: Path) -> list[Path]:
    """One figure for each data set that motion models were trained on."""
    return [_draw_dataset(tables, dataset, folder / f"{name}.svg") for dataset, name in motion_figures(tables).items()]


def motion_figures(tables: Tables) -> dict[str, str]:
    """File stem of each data set's figure."""
    slugs = unique_slugs(sorted(set(tables["motion_models"]["dataset"])))
    return {dataset: f"motion-{slug}" for dataset, slug in slugs.items()}


def _draw_dataset(tables: Tables, dataset: str, path: Path) -> Path:
    curves, models = (own[own["dataset"] == dataset] for own in (tables["motion_curves"], tables["motion_models"]))
    palette = colours(
        sorted(set(models["model"])), dict(zip(sorted(set(models["model"])), SPARE_COLOURS, strict=False))
    )
    figure, [[left, right]] = panels(1, 2, FULL_WIDTH_IN / 2, 2.6)
    _draw_curves(left, curves.dropna(subset=["psnr_db"]), "psnr_db", palette)
    for row in records(models[models["method"] != "learned"]):
        left.axhline(row["psnr_db"], color=palette[row["model"]], dashes=LINES[row["method"]], linewidth=1.2)
    plain(left, title="Held-out frames", x="Epoch", y="PSNR (dB)")
    _draw_curves(right, curves, "train_loss", palette)
    plain(right, title="Training", x="Epoch", y="Loss")
    keys = [key_line(model, colour, "o") for model, colour in palette.items()]
    keys += [key_line(LINE_LABELS[method], INK, dashes=dashes) for method, dashes in LINES.items()]
    legend_above(figure, keys)
    return save_figure(figure, path, pd.concat([curves.assign(method="learned"), models])[[*ROW_COLUMNS]])


def _draw_curves(axes: Axes, rows: pd.DataFrame, column: str, palette: dict[str, str]) -> None:
    common = {"x": "epoch", "y": column, "hue": "model", "hue_order": list(palette), "palette": palette}
    sns.lineplot(data=rows, **common, marker="o", markersize=3.5, markeredgewidth=0, legend=False, ax=axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(y=0.1)
