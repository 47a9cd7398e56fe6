"""Runs Snakemake as a user does, in a folder of its own."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
JOB_LINE = re.compile(r"^(\w+)\s+(\d+)$", re.MULTILINE)
FINISHED_LINE = re.compile(r"^Finished jobid: \d+ \(Rule: (\w+)\)$", re.MULTILINE)

Runner = Callable[..., subprocess.CompletedProcess[str]]


def environment() -> dict[str, str]:
    """The tests' environment with this interpreter's commands first on the path."""
    bin_folder = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "SNAKEMAKE_OUTPUT_CACHE": ""}


def run(*command: str, folder: Path, timeout_s: float = 1500) -> subprocess.CompletedProcess[str]:
    """Run a command in `folder`; its output is kept, its exit status is for the test to judge."""
    return subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=timeout_s, check=False
    )


def snakemake(folder: Path, *arguments: str, timeout_s: float = 1500) -> subprocess.CompletedProcess[str]:
    """Run this project's workflow in `folder`."""
    return run(*snakemake_command(*arguments), folder=folder, timeout_s=timeout_s)


def snakemake_command(*arguments: str, cores: int = 2) -> tuple[str, ...]:
    """The command that runs this project's workflow in any folder."""
    places = ("--snakefile", str(ROOT / "Snakefile"), "--workflow-profile", str(ROOT / "profiles" / "default"))
    return ("snakemake", *places, "--cores", str(cores), *arguments)


def jobs(output: str) -> dict[str, int]:
    """Jobs by rule in a dry run's table; empty when there is nothing to do."""
    counts = {rule: int(count) for rule, count in JOB_LINE.findall(output)}
    counts.pop("total", None)
    return counts


def finished_jobs(output: str) -> dict[str, int]:
    """Jobs by rule that a run says it has finished."""
    return dict(Counter(FINISHED_LINE.findall(output)))


TINY = {
    "experiment": "tiny",
    "title": "Tiny",
    "scale": "smoke",
    "seeds": [0],
    "datasets": {
        "streets": {
            "options": {
                "clips_train": 1,
                "clips_val": 1,
                "clips_test": 1,
                "frames_per_clip": 5,
                "height": 48,
                "width": 64,
            }
        }
    },
    "recipes": {
        "tiny": {
            "epochs": 2,
            "samples_per_epoch": 4,
            "batch_size": 2,
            "decoder_channels": 8,
            "aspp_rates": [1],
            "augment": {"crop": [32, 48], "scale": [1.0, 1.5]},
        }
    },
    "motion_models": {
        "rebuild": {
            "kind": "reconstruction",
            "dataset": "streets",
            "eval_split": "val",
            "input_flow": "dis_ultrafast",
            "recipe": {"epochs": 1, "batch_size": 4, "crop": [32, 48], "width": 2},
        }
    },
    "studies": [
        {
            "name": "tiny",
            "dataset": "streets",
            "recipe": "tiny",
            "backbones": ["mobilenetv3_small_050"],
            "padding_modes": ["zeros", "partial"],
            "keyframes": {"stride": 5, "offset": 2},
            "propagation": ["none", {"kind": "joint", "motion": "dis_ultrafast", "max_distance": 2}],
        }
    ],
    "census": "mobilenetv3_small_050",
    "propagation_quality": [
        {
            "dataset": "streets",
            "split": "val",
            "keyframes": {"stride": 5, "offset": 2},
            "motions": ["rebuild"],
            "max_distance": 1,
        }
    ],
    "probes": [
        {
            "name": "borders",
            "study": "tiny",
            "padding_modes": ["zeros", "partial"],
            "n_images": 2,
            "shifts_px": [[0, 16]],
        }
    ],
}
"""The smallest experiment that has every rule of the DAG in it."""


def write_config(folder: Path, values: dict[str, object], name: str = "tiny.yaml") -> str:
    """Write a configuration into `folder`; return its name."""
    (folder / name).write_text(yaml.safe_dump(values))
    return name
