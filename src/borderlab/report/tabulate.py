"""From the artifacts of an experiment to its tidy tables, and from those to CSV files and back.

Rows are sorted by their keys and floats have one format, so equal artifacts give equal bytes.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from borderlab.copies import check_copies
from borderlab.errors import RunError
from borderlab.files import atomic_file
from borderlab.papers.cell_rows import cell_rows
from borderlab.papers.claim_rows import claim_rows
from borderlab.papers.loading import load_papers
from borderlab.probe.spec import PROBE_TABLES
from borderlab.report.artifacts import TabulationInput, read_motion_model, read_run, read_score
from borderlab.report.effects import paired_effects, summarise
from borderlab.report.image_intervals import image_intervals
from borderlab.report.motion_rows import motion_curve_rows, motion_model_rows
from borderlab.report.names import FLOAT_FORMAT, TABLES
from borderlab.report.ring_effects import ring_effect_rows
from borderlab.report.rows import (
    Row,
    class_rows,
    curve_rows,
    probe_rows,
    records,
    ring_rows,
    run_row,
    score_class_rows,
    score_rows,
)
from borderlab.report.schemas import FACTORS, SCHEMAS

Tables = dict[str, pd.DataFrame]


def tabulate(inputs: TabulationInput) -> Tables:
    """All tables of an experiment, by name; tables without rows keep their columns.

    Raises:
        RunError: if an artifact is missing or not what it should be, two runs could not be told apart, or two
            results were made from different copies of a data set.
    """
    finished = [read_run(artifacts) for artifacts in inputs.runs]
    scores = [read_score(artifacts) for artifacts in inputs.scores]
    trained = [read_motion_model(artifacts) for artifacts in inputs.motion_models]
    check_copies(_folders(inputs))
    runs = _typed("runs", (run_row(run) for run in finished))
    _check_alone(runs)
    rings = _typed("rings", ring_rows(finished))
    effects = paired_effects(runs, image_intervals(inputs))
    tables = {
        "runs": runs,
        "effects": _typed("effects", records(effects)),
        "summary": _typed("summary", records(summarise(runs, effects))),
        "classes": _typed("classes", class_rows(finished)),
        "rings": rings,
        "ring_effects": _typed("ring_effects", ring_effect_rows(rings, runs)),
        "curves": _typed("curves", curve_rows(finished)),
        "propagation": _typed("propagation", score_rows(scores)),
        "propagation_classes": _typed("propagation_classes", score_class_rows(scores)),
        **{name: _typed(name, probe_rows(inputs.probes, name)) for name in PROBE_TABLES},
        "motion_models": _typed("motion_models", motion_model_rows(trained)),
        "motion_curves": _typed("motion_curves", motion_curve_rows(trained)),
    }
    papers = [] if inputs.papers is None else load_papers(inputs.papers)
    tables["paper_cells"] = _typed("paper_cells", cell_rows(papers, tables, inputs.scale))
    tables["claims"] = _typed("claims", claim_rows(papers, tables, inputs.scale))
    return {name: tables[name] for name in TABLES}


def _folders(inputs: TabulationInput) -> list[Path]:
    """Folders of everything that was made from data."""
    runs = [folder for run in inputs.runs for folder in (run.folder, run.evaluation_folder)]
    models, scores = [model.folder for model in inputs.motion_models], [score.folder for score in inputs.scores]
    return [*runs, *models, *scores, *(probe.folder for probe in inputs.probes)]


def _check_alone(runs: pd.DataFrame) -> None:
    """Two runs of equal factors and seed would be averaged as one setting, and count as two seeds."""
    twins = runs[runs.duplicated([*FACTORS, "seed"], keep=False)]
    if len(twins):
        first, second = twins.sort_values([*FACTORS, "seed"])["run"].iloc[:2]
        raise RunError(f"{first} and {second}: agree in every factor of the tables and in the seed; drop one study")


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Write each table to `folder` as CSV, atomically; return the paths in the order of `TABLES`."""
    paths = [folder / f"{name}.csv" for name in TABLES]
    for name, path in zip(TABLES, paths, strict=True):
        checked = SCHEMAS[name].validate(tables[name])
        with atomic_file(path) as part:
            checked.to_csv(part, index=False, float_format=FLOAT_FORMAT, lineterminator="\n", encoding="utf-8")
    return paths


def write_parquet(tables: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Write each table to `folder` as Parquet, with the types of its schema; return the paths as `write_tables`."""
    paths = [folder / f"{name}.parquet" for name in TABLES]
    for name, path in zip(TABLES, paths, strict=True):
        with atomic_file(path) as part:
            SCHEMAS[name].validate(tables[name]).to_parquet(part, index=False)
    return paths


def read_tables(folder: Path) -> Tables:
    """The tables that `write_tables` left in `folder`.

    Raises:
        RunError: if a table is missing.
    """
    return {name: _read_table(name, folder / f"{name}.csv") for name in TABLES}


def _typed(name: str, rows: Iterable[Row]) -> pd.DataFrame:
    """A checked table of `rows`, sorted by its key."""
    schema = SCHEMAS[name]
    frame = pd.DataFrame(list(rows), columns=list(schema.columns))
    typed = frame.astype({column: _storage(str(spec.dtype)) for column, spec in schema.columns.items()})
    key = list(schema.unique or [])
    return schema.validate(typed.sort_values(key, kind="stable", ignore_index=True))


def _storage(dtype: str) -> str:
    """The pandas type that holds a column of the schema's `dtype`."""
    return "str" if dtype.startswith("str") else dtype


def _read_table(name: str, path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise RunError(f"{path}: is missing; tabulate the experiment first (`borderlab tabulate`)")
    kinds = {column: _storage(str(spec.dtype)) for column, spec in SCHEMAS[name].columns.items()}
    # Only numbers and truth values may be absent: a class named "null" or "NA" stays a text.
    empty = {column: [""] for column, kind in kinds.items() if kind != "str"}
    frame = pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values=empty, encoding="utf-8")
    return SCHEMAS[name].validate(frame)
