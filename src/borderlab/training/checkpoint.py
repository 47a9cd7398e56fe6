"""Checkpoints: whole or absent, the last two kept, a damaged one falls back to the one before.

A file is the SHA-256 of what follows, a line end, and `torch.save`'s archive: torch reads an archive with a flipped
bit without a word.
"""

import hashlib
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from borderlab.errors import RunError
from borderlab.files import atomic_file

KEPT = 2
_PATTERN = re.compile(r"step_(\d{9})\.checkpoint")


def save_checkpoint(folder: Path, step: int, state: dict[str, Any]) -> None:
    """Write the state after `step` steps, then delete all but the last two checkpoints.

    `state` may hold tensors, numbers, strings and containers of these: it must load with `weights_only=True`.
    """
    archive = BytesIO()
    torch.save(state, archive)
    with atomic_file(folder / f"step_{step:09d}.checkpoint") as part, part.open("wb") as stream:
        stream.write(_digest(archive.getbuffer()) + b"\n")
        stream.write(archive.getbuffer())
    for old in sorted(_checkpoints(folder))[:-KEPT]:
        old.unlink()


def load_checkpoint(folder: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """The newest checkpoint that is whole, or None, and one line about each that is not.

    Raises:
        RunError: if a whole one holds anything but tensors, numbers, strings and containers: it is not ours.
    """
    damaged: list[str] = []
    newest_first = sorted(_checkpoints(folder), reverse=True)
    for path in newest_first:
        digest, _, archive = path.read_bytes().partition(b"\n")
        if digest == _digest(archive):
            return _read(path, archive), damaged
        fallback = "beginning anew" if path == newest_first[-1] else "going back to the checkpoint before"
        damaged.append(f"{path.name} is damaged: {fallback}")
    return None, damaged


def delete_checkpoints(folder: Path) -> None:
    """Remove all checkpoints: the run is finished."""
    for path in _checkpoints(folder):
        path.unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _read(path: Path, archive: bytes) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(BytesIO(archive), map_location="cpu", weights_only=True)
    except Exception as fault:
        reason = (str(fault).splitlines() or [type(fault).__name__])[0]
        raise RunError(f"{path}: is no checkpoint of this package ({reason}); delete it") from None
    return state


def _digest(content: bytes | memoryview) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _checkpoints(folder: Path) -> list[Path]:
    return [path for path in folder.glob("step_*.checkpoint") if _PATTERN.fullmatch(path.name)]
