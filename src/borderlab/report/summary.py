"""The results as a Markdown page for people and as a nested JSON for `dvc metrics`."""

from pathlib import Path
from typing import Any

from borderlab.files import write_json, write_text
from borderlab.report.artifacts import TabulationInput
from borderlab.report.motion_section import motion_table
from borderlab.report.page import SCALE_TEXTS, SCALE_TITLES, facts
from borderlab.report.page_tables import distance_table, padding_table, training_table
from borderlab.report.paper_section import glance_table, scale_text
from borderlab.report.probe_section import cross_table
from borderlab.report.rows import Row, records
from borderlab.report.tabulate import Tables
from borderlab.report.view import Cell, Table

# Factors that tell settings apart; the others follow from these.
NAMING_FACTORS = (
    "backbone",
    "weights",
    "padding_mode",
    "keyframes",
    "propagation",
    "loss",
    "train_split",
    "eval_split",
    "recipe",
)
_ESCAPED = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>()#|!~"} | {"\n": " "})


def write_summary(tables: Tables, inputs: TabulationInput, path: Path) -> None:
    """Write verdicts on the papers' claims, and the results of the experiment, to `path` as Markdown."""
    write_text(path, summary_text(tables, inputs))


def summary_text(tables: Tables, inputs: TabulationInput) -> str:
    """Title, scale, counts, claims, and the tables of results; texts from data are escaped."""
    counts = "; ".join(f"{what}: {value}" for value, what in facts(tables))
    parts = [
        f"# {_escape(inputs.title)}",
        _escape(inputs.description),
        f"**{SCALE_TITLES[inputs.scale]}.** {SCALE_TEXTS[inputs.scale]}",
        f"{_escape(counts)}.",
        *_claims(tables, inputs),
        "## Padding",
        _table_text(padding_table(tables, inputs.config), "No setting was trained with more than one padding mode."),
        "## Propagation in training",
        _table_text(
            training_table(tables, inputs.config), "No setting was trained with different propagated samples or losses."
        ),
        *_section("Trained motion models", motion_table(tables, inputs.config)),
        *_section("Moved labels against true ones", distance_table(tables, inputs.config)),
        *_section("Weights under other paddings", cross_table(tables, inputs.config)),
        "Final weights: mean ± standard deviation (n − 1) over seeds. Differences: paired by seed, with 95 % t "
        "intervals. Best epoch: chosen on the evaluation split, optimistic.",
        *_again(inputs),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _again(inputs: TabulationInput) -> list[str]:
    if not inputs.config:
        return []
    return [
        f"To make a number again: `borderlab rerun TABLE:LINE --config {inputs.config}` (`verify` compares as well); "
        "`TABLE` is a table beside this page, `LINE` a line of its CSV file, and report.html has each command."
    ]


def _section(title: str, table: Table | None) -> list[str]:
    return [] if table is None else [f"## {title}", _table_text(table, "")]


def _claims(tables: Tables, inputs: TabulationInput) -> list[str]:
    if tables["claims"].empty:
        return []
    glance = glance_table(tables["claims"], inputs.scale)
    return ["## The papers' claims", scale_text(inputs.scale), _table_text(glance, "")]


def write_metrics(tables: Tables, path: Path) -> None:
    """Write mean results by data set and setting to `path` as nested JSON.

    Below a data set, the innermost keys are the metric's mean and the number of seeds; the key above them joins all
    factors that tell the data set's settings apart. Trained motion models and moved labels, where there are any, have
    keys of their own.
    """
    write_json(path, {**metrics(tables), **_motion_metrics(tables)})


def _motion_metrics(tables: Tables) -> dict[str, dict[str, dict[str, float]]]:
    models = {
        row["model"]: {"psnr_db": round(row["psnr_db"], 4), "ssim": round(row["ssim"], 5)}
        for row in records(tables["motion_models"])
        if row["method"] == "learned"
    }
    moved = {_moved_key(row): {"miou_pct": round(row["miou_pct"], 4)} for row in records(tables["propagation"])}
    return {name: found for name, found in (("motion models", models), ("moved labels", moved)) if found}


def _moved_key(row: Row) -> str:
    occluded = "occluded void" if row["void_occluded"] else "occluded kept"
    return " / ".join([row["dataset"], row["split"], row["motion"], occluded, f"{row['distance']:+d}"])


def metrics(tables: Tables) -> dict[str, dict[str, dict[str, Any]]]:
    """Mean of the final weights' metric, by data set and by setting."""
    summary = tables["summary"]
    final = summary[summary["measure"] == "evaluation"]
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for dataset, rows in final.groupby("dataset"):
        varying = [name for name in NAMING_FACTORS if rows[name].nunique(dropna=False) > 1] or ["backbone"]
        found[str(dataset)] = {
            " / ".join(str(row[name]) for name in varying): {
                row["metric"]: round(row["mean_pct"], 4),
                "n_seeds": row["n_seeds"],
            }
            for row in records(rows)
        }
    return found


def _table_text(table: Table | None, empty: str) -> str:
    if table is None:
        return empty
    # Commands are for the page.
    columns = [column for column in table.columns if not column.commands]
    head = [f"{column.title} ({column.note})" if column.note else column.title for column in columns]
    rule = ["--:" if column.numeric else "---" for column in columns]
    rows = [head, rule, *([_cell_text(cell) for cell in row if not cell.copies] for row in table.rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell_text(cell: Cell) -> str:
    text = f"**{_escape(cell.text)}**" if cell.strong else _escape(cell.text)
    return f"{text} ({_escape(cell.note)})" if cell.note else text


def _escape(text: str) -> str:
    return text.translate(_ESCAPED)
