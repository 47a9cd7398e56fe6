"""Which runs stand behind a number."""

from pathlib import Path

import pandas as pd

from borderlab.errors import RunError
from borderlab.report.names import TABLES
from borderlab.workflow import Workflow

_RUN_COLUMNS = ("run", "runs", "baseline_runs", "left_runs", "right_runs", "network")


def runs_of_cell(cell: str, workflow: Workflow) -> list[str]:
    """Names of the runs behind `cell`, all of them runs of the experiment as it is planned now.

    Args:
        cell: the name of a run, a score, a probe or a motion model; a row of a results table as TABLE:LINE, with lines
            as an editor counts them (`summary:5`); or a cell of a published table
            (`liu2018/imagenet_top1/resnet50/partial`).
        workflow: the experiment.

    Raises:
        RunError: if there is no such number, it has no runs, or the code makes other runs now.
    """
    plan = workflow.plan
    if any(cell in results for results in (plan.runs, plan.scores, plan.probes, plan.motion_models)):
        return [cell]
    table, _, line = cell.rpartition(":")
    row = _line(table, line, workflow) if table in TABLES else _paper_cell(cell, workflow)
    named = [name for column in _RUN_COLUMNS if column in row for name in row[column].split("; ") if name]
    if not named:
        hint = f"; `snakemake --configfile {row['config']}` makes them" if row.get("config") else ""
        raise RunError(f"{cell}: no runs of this experiment stand behind it{hint}")
    lost = [name for name in named if name not in workflow.plan.runs]
    if lost:
        raise RunError(
            f"{cell}: {lost[0]} is no run of this experiment as code and configuration are now; check out the commit "
            "that table runs names, or ask `borderlab explain` what differs"
        )
    return list(dict.fromkeys(named))


def tables_folder(workflow: Workflow) -> Path:
    """The experiment's tables: its own report's, else the published ones.

    Raises:
        RunError: if there are none.
    """
    own = Path(workflow.paths.report_folder(workflow.plan.experiment_id)) / "tables"
    for folder in (own, Path(workflow.paths.results) / "tables"):
        if folder.is_dir():
            return folder
    raise RunError(f"{own}: no tables yet; run the experiment to its end first")


def _line(table: str, line: str, workflow: Workflow) -> dict[str, str]:
    frame = _read(table, workflow)
    # The head is line 1.
    if not line.isdecimal() or not 2 <= int(line) <= len(frame) + 1:
        raise RunError(f"{table}:{line}: {table}.csv has lines 2 to {len(frame) + 1}")
    return {str(name): str(value) for name, value in frame.iloc[int(line) - 2].items()}


def _paper_cell(cell: str, workflow: Workflow) -> dict[str, str]:
    frame = _read("paper_cells", workflow)
    found = frame[frame["cell"] == cell]
    if found.empty:
        raise RunError(
            f"{cell}: is no run, no TABLE:LINE, and no cell of table paper_cells; `borderlab plan` lists runs"
        )
    return {str(name): str(value) for name, value in found.iloc[0].items()}


def _read(table: str, workflow: Workflow) -> pd.DataFrame:
    return pd.read_csv(tables_folder(workflow) / f"{table}.csv", dtype=str, keep_default_na=False, encoding="utf-8")
