"""Checkpoints: whole or absent, the last two kept, a damaged one falls back to the one before."""

import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import torch

from borderlab.files import atomic_file

KEPT = 2
_PATTERN = re.compile(r"epoch_(\d{5})\.pt")


def save_checkpoint(folder: Path, epoch: int, state: dict[str, Any]) -> None:
    """Write the state after `epoch` epochs, then delete all but the last two checkpoints.

    `state` may hold tensors, numbers, strings and containers of these: it must load with `weights_only=True`.
    """
    with atomic_file(folder / f"epoch_{epoch:05d}.pt") as part:
        torch.save(state, part)
    for old in sorted(_checkpoints(folder))[:-KEPT]:
        old.unlink()


def load_checkpoint(folder: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """The newest checkpoint that can be read, or None, and one line about each that could not."""
    damaged: list[str] = []
    for path in sorted(_checkpoints(folder), reverse=True):
        try:
            return torch.load(path, map_location="cpu", weights_only=True), damaged
        except (RuntimeError, EOFError, OSError, zipfile.BadZipFile, pickle.UnpicklingError, KeyError) as fault:
            reason = str(fault).splitlines()[0] if str(fault) else type(fault).__name__
            damaged.append(f"{path.name} is damaged ({reason}): going back to the checkpoint before")
    return None, damaged


def delete_checkpoints(folder: Path) -> None:
    """Remove all checkpoints: the run is finished."""
    for path in _checkpoints(folder):
        path.unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _checkpoints(folder: Path) -> list[Path]:
    return [path for path in folder.glob("epoch_*.pt") if _PATTERN.fullmatch(path.name)]
