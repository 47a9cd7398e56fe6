"""One process at a time in a data set's folder: the workflow fetches two splits of one archive at once."""

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from borderlab.errors import DataError

LOCK_NAME = ".fetch.lock"

_held = threading.local()


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`, waiting for whoever has it; a thread may take it again while it holds it.

    The lock falls with the process, so a killed fetch leaves nothing to clear away.

    Raises:
        DataError: if the folder cannot be made or written.
    """
    held: set[Path] = _held.__dict__.setdefault("folders", set())
    key = folder.absolute()
    if key in held:
        yield
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / LOCK_NAME).open("w")
    except OSError as fault:
        raise DataError(f"{folder}: cannot be written ({fault.strerror}); choose another folders.data") from fault
    with stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        held.add(key)
        try:
            yield
        finally:
            held.remove(key)
