"""`borderlab`, with a line for each command begun and a byte for each step of a training, kept in the current folder.

What a fault costs is counted by these: a process that is killed cannot say what it had done.
"""

import os
import sys
from pathlib import Path
from typing import Any

FOLDER = Path("counted")
COMMANDS, STEPS = FOLDER / "commands", FOLDER / "steps"


def main() -> None:
    """Count, and do what `borderlab` does."""
    FOLDER.mkdir(exist_ok=True)
    _append(COMMANDS, f"{sys.argv[1]}\n".encode())
    if sys.argv[1] == "train":
        _count_steps(STEPS.absolute())
    from borderlab.cli import main as borderlab

    borderlab()


def _count_steps(path: Path) -> None:
    from borderlab.training.loop import Trainer

    step = Trainer._step

    def counted(self: Trainer, batch: Any, progress: float) -> Any:
        loss = step(self, batch, progress)
        _append(path, b".")
        return loss

    Trainer._step = counted  # type: ignore[method-assign]


def _append(path: Path, content: bytes) -> None:
    # One write to a file opened to append is whole, whoever else appends and whatever kills this process then.
    place = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(place, content)
    os.close(place)


if __name__ == "__main__":
    main()
