"""The section of the page about trained motion models: what training bought, on frames that it did not see."""

from borderlab.report.drawings import Drawings
from borderlab.report.figures.motion import motion_figures
from borderlab.report.rows import Row, records
from borderlab.report.tabulate import Tables
from borderlab.report.view import (
    AGAIN,
    Cell,
    Column,
    Note,
    Section,
    Table,
    duration,
    line_of,
    number,
    rerun_cell,
    signed,
)

METHOD_TITLES = {"copy": "copy", "input_flow": "flow shown", "learned": "network"}
CAPTION = (
    "Left: PSNR of held-out frames that were made from their neighbour; dashed: along the flow that the network was "
    "shown, dotted: copied. Right: training loss. Axes do not start at 0."
)
WARNING = (
    "PSNR and SSIM measure how well colours are rebuilt, and nothing else: a flow may win here and move labels worse. "
    "What the same models do to labels stands under “Propagation over distance”. A prediction is shown the motion of "
    "one step earlier, a reconstruction the classical answer itself: their numbers compare with their own flow shown, "
    "not with each other."
)


def motion_section(tables: Tables, drawings: Drawings, config: str) -> Section:
    """Table and curves of every trained motion model; `config` has them."""
    lead = (
        "Motion models of this experiment, trained on video without any label: do they rebuild frames that were held "
        "out better than a copy does, and better than the classical flow that they start from?"
    )
    pictures = [drawings.part(name, dataset, CAPTION) for dataset, name in motion_figures(tables).items()]
    table = motion_table(tables, config)
    parts: list[object] = [*([] if table is None else [table]), *pictures, Note(WARNING)]
    return Section("motion", "Trained motion models", lead, parts)


def motion_table(tables: Tables, config: str) -> Table | None:
    """One line for each model and way of making a frame; `config` has the models."""
    rows = [
        [*_row(by_method[method], by_method["input_flow"]), rerun_cell(line_of("motion_models", own.index[0]), config)]
        for _, own in tables["motion_models"].groupby("model")
        for by_method in [{row["method"]: row for row in records(own)}]
        for method in METHOD_TITLES
    ]
    columns = [Column("Model", note="data set"), Column("Frame made by"), Column("PSNR", True, "dB, held out")]
    columns += [Column("Gain", True, "dB over the flow shown"), Column("SSIM", True), Column("Pairs won", True, "%")]
    columns += [Column("Pairs", True), Column("Parameters", True), Column("Training", True, "wall time"), AGAIN]
    caption = "Frames rebuilt by trained motion models"
    return Table("table-motion-models", caption, columns, rows) if rows else None


def _row(row: Row, shown: Row) -> list[Cell]:
    is_learned, is_shown = row["method"] == "learned", row["method"] == "input_flow"
    gain = float("nan") if is_shown else row["psnr_db"] - shown["psnr_db"]
    won = float("nan") if is_shown else row["better_than_input_pct"]
    cells = [Cell(row["model"], note=f"{row['kind']}, {row['dataset']}, {row['held_out']}")]
    cells += [Cell(METHOD_TITLES[row["method"]], note=row["input_flow"] if is_shown else "")]
    cells += [Cell(number(row["psnr_db"]), float(row["psnr_db"]), strong=is_learned)]
    cells += [Cell(signed(gain), float(gain)), Cell(number(row["ssim"], 4), float(row["ssim"]))]
    cells += [Cell(number(won, 0), float(won)), Cell(str(row["n_pairs"]), float(row["n_pairs"]))]
    if not is_learned:
        return [*cells, Cell(""), Cell("")]
    count = f"{row['n_parameters']:,}".replace(",", "\u202f")
    return [*cells, Cell(count, float(row["n_parameters"])), Cell(duration(row["wall_time_s"]), row["wall_time_s"])]
