"""The section of the page about probes: what padding does at the border, beyond the accuracy that it ends with."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from borderlab.report.artifacts import ProbeArtifacts, TabulationInput
from borderlab.report.drawings import Drawings
from borderlab.report.figures.probes import heading, probe_parts, weights_text
from borderlab.report.pictures import Album, sample_folders
from borderlab.report.rows import Row
from borderlab.report.settings import WEIGHTS_TEXTS
from borderlab.report.style import padding_order
from borderlab.report.tabulate import Tables
from borderlab.report.view import (
    AGAIN,
    Cell,
    Column,
    Gallery,
    Note,
    Picture,
    Section,
    Table,
    excludes_zero,
    interval,
    line_of,
    mean_sd,
    rerun_cell,
    signed,
)
from borderlab.statistics.differences import paired_difference

CAPTIONS = {
    "cross-test": "Weights trained with one padding (rows), tested with others (columns); below each result its change "
    "from the padding of training. Paint is full at 40 points (agreement: 40 below 100).",
    "ring-profile": "Activations by distance from the border of each feature map, relative to its interior. Images "
    "differ between border and centre by themselves: compare paddings. Runs with their own padding, mean and sd over "
    "seeds; networks not trained here with every padding.",
    "position-leak": "Feature maps of constant images, which hold no position: outermost ring against the centre, over "
    "the centre's magnitude. 0: nothing leaks.",
    "shift": "Two windows cut from each image. Left: same prediction. Right: change of the features where both windows "
    "show the same content; without borders it would be 0.",
}
MEASURE_TITLES = {
    "top1_pct": "Top-1",
    "top5_pct": "Top-5",
    "own_top1_pct": "Top-1 among the set's classes",
    "miou_pct": "mIoU",
    "agreement_pct": "Same prediction",
}
WARNING = (
    "A change of padding at test time shows how far weights rely on the border that they were trained with, and not "
    "which padding is the better one to train with. Networks with ImageNet weights may have met these images in their "
    "own training: read changes, not levels."
)


def probe_section(tables: Tables, inputs: TabulationInput, drawings: Drawings, album: Album) -> Section:
    """Cross-test table, figures of every probe, and activation maps."""
    table = cross_table(tables, inputs.config)
    parts: list[object] = [Note(WARNING), *([] if table is None else [table]), *_figures(tables, drawings)]
    parts += [gallery for probe in inputs.probes for gallery in _galleries(probe, album)]
    lead = "What does a network see at the border, does padding tell it where it is, and how far does it rely on that?"
    return Section("probes", "What padding does at the border", lead, parts)


def cross_table(tables: Tables, config: str) -> Table | None:
    """Every trained and tested padding, mean over seeds, with the change from the padding of training.

    `config` has the probes behind its numbers.
    """
    rows = []
    keys = ["probe", "dataset", "backbone", "weights", "trained_mode", "measure"]
    places = {measure: place for place, measure in enumerate(MEASURE_TITLES)}
    ordered = tables["cross_test"].assign(place=tables["cross_test"]["measure"].map(places))
    for key, group in ordered.sort_values(["place", *keys], kind="stable").groupby(keys, sort=False):
        for mode in padding_order(group["tested_mode"]):
            own = group[group["tested_mode"] == mode]
            again = rerun_cell(line_of("cross_test", own.index[0]), config)
            rows.append([*_cross_row(dict(zip(keys, key, strict=True)), own, mode), again])
    columns = [Column("Network", note="data set"), Column("Trained with"), Column("Tested with"), Column("Measure")]
    columns += [Column("Result", True, "%, mean ± sd"), Column("Change", True, "points, 95 % interval")]
    columns += [Column("Networks", True), Column("Images", True), AGAIN]
    caption = "Weights under other paddings"
    return Table("table-cross-test", caption, columns, rows, filterable=True) if rows else None


def _cross_row(key: Row, own: pd.DataFrame, mode: str) -> list[Cell]:
    value = own["value_pct"]
    weights = weights_text(key["weights"], is_run=bool(own["seed"].notna().any()))
    cells = [Cell(key["backbone"], note=f"{key['dataset']}, {weights}, {key['probe']}")]
    cells += [Cell(key["trained_mode"], swatch=key["trained_mode"]), Cell(mode, swatch=mode)]
    cells += [Cell(MEASURE_TITLES[key["measure"]])]
    cells += [Cell(mean_sd(value.mean(), value.std(), len(own)), float(value.mean()))]
    cells += [_change_cell(own, is_own=mode == key["trained_mode"])]
    return [*cells, Cell(str(len(own)), float(len(own))), Cell(str(own["n_images"].iloc[0]))]


def _change_cell(own: pd.DataFrame, *, is_own: bool) -> Cell:
    changes = own["change_points"].dropna().tolist()
    if is_own or not changes:
        return Cell("as trained" if is_own else signed(float("nan")), float("nan"))
    found = paired_difference(changes)
    strong = excludes_zero(found.low, found.high)
    return Cell(interval(found.mean, found.low, found.high), found.mean, strong=strong)


def _figures(tables: Tables, drawings: Drawings) -> Iterator[Picture | Note]:
    for kind, caption in CAPTIONS.items():
        for name, rows in probe_parts(tables, kind):
            yield drawings.part(name, heading(rows), caption)


def _galleries(probe: ProbeArtifacts, album: Album) -> Iterator[Gallery]:
    """Activation maps by padding mode: one gallery for each network."""
    for number, folder in enumerate(sample_folders(probe.folder)):
        columns = _columns(folder, album)
        if columns:
            reading = "Mean magnitude over channels, the shallowest stage above; one colour scale in each line."
            yield Gallery(f"maps-{probe.name}-{number}", f"{_network(folder.name)}, activation maps", columns, reading)


def _network(name: str) -> str:
    """The name of a network, its first weights in a reader's words."""
    for weights, words in WEIGHTS_TEXTS.items():
        name = name.replace(f"({weights} weights)", f"({words})")
    return name


def _columns(folder: Path, album: Album) -> list[tuple[str, list[tuple[str, str]]]]:
    """The image, then one column for each padding mode; nothing if the album is full."""
    paths = {"frame": folder / "frame.png"} | {path.stem: path for path in sorted(folder.glob("*-stage*.png"))}
    found = album.add(paths)
    if found is None:
        return []
    modes = padding_order(name.rpartition("-stage")[0] for name in paths if name != "frame")
    columns = [("image", [("Image", album.addresses[found["frame"]])])]
    for mode in modes:
        own = sorted(name for name in paths if name.startswith(f"{mode}-stage"))
        columns.append((mode, [(f"Stage {name[-1]}", album.addresses[found[name]]) for name in own]))
    return columns
