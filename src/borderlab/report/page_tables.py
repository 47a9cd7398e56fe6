"""The page's tables: rows of the tidy tables, in the words of a reader."""

import math
from typing import Any

import pandas as pd

from borderlab.report.effects import LOSS, PADDING, PROPAGATION
from borderlab.report.figures.cost import COST
from borderlab.report.figures.training import TRAINING
from borderlab.report.rows import Row, records
from borderlab.report.schemas import FACTORS
from borderlab.report.settings import Setting, settings
from borderlab.report.style import padding_order
from borderlab.report.tabulate import Tables
from borderlab.report.view import (
    AGAIN,
    MISSING,
    Cell,
    Column,
    Table,
    detectable_note,
    duration,
    excludes_zero,
    images_note,
    interval,
    line_of,
    mean_sd,
    number,
    pairs_note,
    rerun_cell,
    seeds_note,
)

BEST = Column("Best epoch", numeric=True, note="optimistic")
FINAL = Column("Final weights", numeric=True, note="mean ± sd over seeds")
SHORT_HASH = 8


def padding_table(tables: Tables, config: str) -> Table | None:
    """Every padding mode of every setting that compares padding; `config` has the runs behind its numbers."""
    rows = []
    for setting in settings(tables["summary"], PADDING):
        order = padding_order(setting.rows["padding_mode"])
        for mode in order:
            own = setting.rows[setting.rows["padding_mode"] == mode]
            final, best = _measures(own)
            cells = [_setting_cell(setting), Cell(mode, swatch=mode)]
            cells += [_mean_cell(final), _padding_difference(final, mode), _mean_cell(best), _again_cell(own, config)]
            rows.append(cells)
    columns = [Column("Network", note="data set"), Column("Padding"), FINAL]
    columns += [Column("Difference to zeros", numeric=True, note="points, 95 % interval"), BEST, AGAIN]
    return Table("table-padding", "Results in percent, by padding mode", columns, rows) if rows else None


def training_table(tables: Tables, config: str) -> Table | None:
    """Every propagation and loss of every setting that compares either; `config` has the runs behind its numbers."""
    summary = tables["summary"]
    effects = tables["effects"].set_index(["factor", "measure"]).sort_index()
    rows = []
    for setting in settings(summary.assign(arm=summary["propagation"] + " / " + summary["loss"]), TRAINING):
        for _, group in sorted(setting.rows.groupby(["propagation", "loss"]), key=lambda pair: _training_rank(pair[0])):
            final, best = _measures(group)
            cells = [_setting_cell(setting), Cell(final["propagation"]), Cell(final["loss"])]
            cells.append(_mean_cell(final))
            cells += [_effect_cell(effects, comparison.factor, final) for comparison in (PROPAGATION, LOSS)]
            rows.append([*cells, _mean_cell(best), _again_cell(group, config)])
    columns = [Column("Network", note="data set"), Column("Propagation"), Column("Loss"), FINAL]
    columns += [
        Column("Difference to no propagation", numeric=True, note="points, 95 % interval, same loss"),
        Column("Difference to cross-entropy", numeric=True, note="points, 95 % interval, same samples"),
        BEST,
        AGAIN,
    ]
    return Table("table-training", "Results in percent, by propagation and loss", columns, rows) if rows else None


def distance_table(tables: Tables, config: str) -> Table | None:
    """Every motion model at every distance; `config` has the scores behind its numbers."""
    shown = {
        "miou_pct": Column("mIoU", True, "%"),
        "miou_void_wrong_pct": Column("mIoU, void wrong", True, "%"),
        "boundary_miou_pct": Column("mIoU near borders", True, "%"),
        "error_pct": Column("Errors", True, "% of pixels"),
        "errors_in_3x3_pct": Column("Right within 3×3", True, "% of errors"),
        "void_pct": Column("Void", True, "% of pixels"),
        "image_mae": Column("Image error", True, "grey levels"),
        "epe_px": Column("End-point error", True, "px"),
    }
    rows = []
    for index, row in zip(tables["propagation"].index, records(tables["propagation"]), strict=True):
        place = Cell(f"{row['dataset']}, {row['split']}")
        void = Cell("void" if row["void_occluded"] else "kept")
        distance = Cell(f"{row['distance']:+d}".replace("-", "−"), float(row["distance"]))
        values = [Cell(number(row[name]), float(row[name])) for name in shown]
        again = rerun_cell(line_of("propagation", index), config)
        rows.append([place, Cell(row["motion"]), void, distance, _count(row["n_frames"]), *values, again])
    columns = [Column("Data set"), Column("Motion"), Column("Occluded"), Column("Distance", True, "frames")]
    columns += [Column("Frames", numeric=True), *shown.values(), AGAIN]
    return Table("table-distance", "Moved labels against true ones", columns, rows, filterable=True) if rows else None


def cost_table(tables: Tables) -> Table | None:
    """Time, memory and size of every network, by padding mode."""
    rows = []
    for setting in settings(tables["runs"], COST, least=1):
        baseline = setting.rows[setting.rows["padding_mode"] == PADDING.baseline]["wall_time_s"].mean()
        for mode in padding_order(setting.rows["padding_mode"]):
            own = setting.rows[setting.rows["padding_mode"] == mode]
            time = own["wall_time_s"].mean()
            ratio = "1" if mode == PADDING.baseline else f"{time / baseline:.2f}"
            cells = [_setting_cell(setting), Cell(mode, swatch=mode), _count(len(own))]
            cells += [Cell(duration(time), time), Cell(MISSING if math.isnan(baseline) else ratio, time / baseline)]
            cells += [_count(own["n_steps"].iloc[0]), _count(own["peak_memory_mb"].max())]
            cells += [_count(own["n_parameters"].iloc[0])]
            rows.append(cells)
    columns = [Column("Network", note="data set"), Column("Padding"), Column("Runs", True)]
    columns += [Column("Wall time", True, "mean of a run"), Column("Relative to zeros", True)]
    columns += [Column("Steps", True), Column("Peak memory", True, "MB"), Column("Parameters", True)]
    return Table("table-cost", "Cost of a training run", columns, rows) if rows else None


def runs_table(tables: Tables) -> Table | None:
    """Every run with what a reader needs to judge and repeat it."""
    rows = [_provenance_row(row) for row in records(tables["runs"])]
    columns = [
        Column("Run", prose=True),
        Column("Seed", True),
        Column("Final", True, "%"),
        Column("Best", True, "%, optimistic"),
    ]
    columns += [
        Column("Wall time", True),
        Column("Device"),
        Column("Commit"),
        Column("Data", note="hash of its content"),
    ]
    columns += [AGAIN]
    return Table("table-runs", "Every training run", columns, rows, filterable=True) if rows else None


def _provenance_row(row: Row) -> list[Cell]:
    commit = row["git_commit"][:SHORT_HASH] or "no checkout"
    state: str = "" if pd.isna(row["git_dirty"]) else "with local changes" if row["git_dirty"] else "clean"
    state += f", diff {row['git_diff_sha256'][:SHORT_HASH]}" if row["git_diff_sha256"] else ""
    return [
        Cell(row["run"], note=row["studies"]),
        _count(row["seed"]),
        Cell(number(row["evaluation_pct"]), float(row["evaluation_pct"])),
        Cell(number(row["best_pct"]), float(row["best_pct"]), note=f"epoch {row['best_epoch']}"),
        Cell(duration(row["wall_time_s"]), float(row["wall_time_s"])),
        Cell(row["device"]),
        Cell(commit, note=state),
        Cell(row["data_identity"][:SHORT_HASH], note=_stored_note(row)),
        Cell(row["rerun_command"], copies=True),
    ]


def _stored_note(row: Row) -> str:
    """MD5 of weights and numbers of a run: what DVC's cache and remotes, where they have them, keep them by."""
    hashes = {"weights": row["weights_md5"], "numbers": row["metrics_md5"]}
    return "MD5: " + ", ".join(f"{name} {digest[:SHORT_HASH]}" for name, digest in hashes.items() if digest)


def _setting_cell(setting: Setting) -> Cell:
    note = f"{setting.dataset}, {setting.detail}" if setting.detail else setting.dataset
    return Cell(setting.title, sort=f"{setting.title} {note}", note=note)


def _measures(rows: pd.DataFrame) -> tuple[Row, Row]:
    """Rows of the final evaluation and of the best epoch."""
    by_measure = {row["measure"]: row for row in records(rows)}
    return by_measure["evaluation"], by_measure["best"]


def _mean_cell(row: Row) -> Cell:
    n = int(row["n_seeds"])
    return Cell(mean_sd(row["mean_pct"], row["sd_pct"], n), float(row["mean_pct"]), note=seeds_note(n))


def _again_cell(rows: pd.DataFrame, config: str) -> Cell:
    """The command behind the final evaluation in `rows` of table `summary`."""
    return rerun_cell(line_of("summary", rows.index[rows["measure"] == "evaluation"][0]), config)


def _padding_difference(row: Row, mode: str) -> Cell:
    return Cell("baseline", math.nan) if mode == PADDING.baseline else _difference_cell(row)


def _difference_cell(row: Row) -> Cell:
    mean, low, high = (float(row[f"difference{part}_pct"]) for part in ("", "_low", "_high"))
    images = images_note(float(row["images_low_pct"]), float(row["images_high_pct"]))
    least = "" if excludes_zero(low, high) else detectable_note(float(row["detectable_pct"]))
    note = "; ".join(filter(None, (pairs_note(int(row["n_pairs"]), low, high), least, images)))
    return Cell(interval(mean, low, high), mean, note=note, strong=excludes_zero(low, high))


def _effect_cell(effects: pd.DataFrame, factor: str, final: Row) -> Cell:
    """The effect of `factor` on the setting of `final`: a dash for the baseline itself."""
    if (factor, "evaluation") not in effects.index:
        return Cell(MISSING, math.nan)
    for row in records(effects.loc[[(factor, "evaluation")]]):
        if all(_same(row[name], final[name]) for name in FACTORS):
            return _difference_cell(row)
    return Cell(MISSING, math.nan)


def _same(one: Any, other: Any) -> bool:
    return bool(pd.isna(one) and pd.isna(other)) or bool(not pd.isna(one) and not pd.isna(other) and one == other)


def _training_rank(names: Any) -> tuple[str, int, str]:
    """Propagations by kind, cross-entropy before other losses."""
    propagation, loss = names
    kind = propagation.split(" ")[0]
    return (f"{['none', 'label', 'joint', 'true'].index(kind)}{propagation}", int(loss != LOSS.baseline), loss)


def _count(value: float) -> Cell:
    return Cell(f"{value:,.0f}".replace(",", "\u202f"), float(value))
