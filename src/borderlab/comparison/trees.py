"""Reading a tree of results for comparison: tables as text, with keys that another version of the code shares."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from borderlab.errors import RunError
from borderlab.files import read_json, sha256_of_file
from borderlab.report.names import TABLES
from borderlab.report.schemas import SCHEMAS

# What a run costs and where it was made; names of runs, which end in hashes of code.
LEFT_OUT = frozenset(
    {
        *("run", "runs", "baseline_runs", "left_runs", "right_runs", "network", "rerun_command", "studies"),
        *("wall_time_s", "cpu_time_s", "peak_memory_mb", "peak_gpu_memory_mb", "seconds"),
        *("device", "platform", "versions", "git_commit", "git_dirty", "started", "ended", "starts", "data_identity"),
        *("git_diff_sha256", "constraints_sha256", "environment_sha256", "energy_j", "energy_of"),
        *("weights_md5", "metrics_md5"),
    }
)
# Settings that name a run; its recipe and its seed come behind them.
_LABEL = (
    *("dataset", "backbone", "weights", "padding_mode", "keyframes", "propagation", "loss"),
    *("train_split", "eval_split"),
)
_USUAL = frozenset({"", "all", "none", "cross_entropy"})


@dataclass(frozen=True)
class Tree:
    """The tables of one folder of results, as text; keys are in the index."""

    folder: Path
    tables: dict[str, pd.DataFrame]
    edited: list[str]


def read_tree(folder: Path) -> Tree:
    """The tables below `folder` (`results/<experiment>`, or its `tables/`).

    Raises:
        RunError: if there are none, or one cannot be read.
    """
    place = folder / "tables" if (folder / "tables").is_dir() else folder
    paths = {name: place / f"{name}.csv" for name in TABLES}
    found = {name: _read(path) for name, path in paths.items() if path.is_file()}
    if "runs" not in found:
        raise RunError(f"{folder}: holds no tables/runs.csv; name a folder such as results/smoke")
    labels = run_labels(found["runs"])
    return Tree(folder, {name: _keyed(name, frame, labels) for name, frame in found.items()}, edited_files(folder))


def run_labels(runs: pd.DataFrame) -> dict[str, str]:
    """A name for each run that says its setting and seed.

    Names of runs will not do: they hold hashes of the code that made them, and not every setting.
    """
    missing = [name for name in ("run", "seed", "recipe") if name not in runs]
    if missing:
        raise RunError(f"runs.csv: has no column {missing[0]!r}; is it a table of `borderlab tabulate`?")
    names = [name for name in _LABEL if name in runs]
    labels = {}
    for row in runs.to_dict("records"):
        settings = ", ".join(row[name] for name in names if row[name] not in _USUAL)
        labels[row["run"]] = f"{settings}, seed {row['seed']} ({row['recipe']})"
    return labels


def edited_files(folder: Path) -> list[str]:
    """Published files whose bytes are not those of the stamp beside them."""
    changed = []
    for stamp in sorted(folder.glob("published-*.json")):
        try:
            kept = dict(read_json(stamp)["sha256"])
        except (ValueError, KeyError, TypeError) as fault:
            raise RunError(f"{stamp}: is no stamp of `borderlab publish`; publish again, or remove it") from fault
        for name, digest in kept.items():
            path = folder / name
            if path.is_file() and sha256_of_file(path) != digest:
                changed.append(name)
    return changed


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (ValueError, OSError) as fault:
        reason = (str(fault).splitlines() or [type(fault).__name__])[0]
        raise RunError(f"{path}: cannot be read as a table ({reason}); get it again, or make it anew") from fault


def _keyed(name: str, frame: pd.DataFrame, labels: dict[str, str]) -> pd.DataFrame:
    keys = [key for key in SCHEMAS[name].unique or [] if key in frame]
    for column in ("run", "network"):
        if column in keys:
            frame = frame.assign(**{column: frame[column].map(lambda value: labels.get(value, value))})
    kept = [column for column in frame if column not in LEFT_OUT or column in keys]
    keyed = frame[kept].set_index(keys)
    if keyed.index.has_duplicates:
        raise RunError(f"{name}.csv: two rows stand for {keyed.index[keyed.index.duplicated()][0]}; cannot compare")
    return keyed
