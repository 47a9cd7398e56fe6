"""Fetching of files: in parallel, resumed, retried, verified, and whole or absent.

A file is asked of the mirror first, if there is one, then of its public address. It takes its name only after its size
and hash are right; `borderlab.data.download` tells what happens on the way.
"""

import hashlib
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from rich.progress import track

from borderlab.data.base import FetchSettings, RemoteFile
from borderlab.data.download import FinalError, Part, Session, TransientError
from borderlab.data.lock import exclusive
from borderlab.errors import DataError
from borderlab.files import sha256_of_file

_CHUNK_BYTES = 1 << 18
_SHOWN_FAULTS = 3

# Fills a part; says whether it went on from a beginning that was there.
Getter = Callable[[Part], bool]

log = logging.getLogger(__name__)


def fetch_files(files: Sequence[RemoteFile], root: Path, settings: FetchSettings, backoff_s: float = 1.0) -> int:
    """Make every file of `files` whole below `root`; return how many had to be fetched.

    Args:
        files: what is needed.
        root: folder that their paths start from.
        settings: mirror, connections, attempts, time-outs.
        backoff_s: scale of the waits between attempts, in seconds.

    Raises:
        DataError: one line that names the files that could not be had, the addresses tried and the causes; whole
            files stay, half ones keep their `.part` for the next try.
    """
    missing = [file for file in files if not is_whole(root / file.path, file)]
    if not missing:
        return 0
    with exclusive(root):
        # Another process may have fetched them while this one waited.
        missing = [file for file in missing if not is_whole(root / file.path, file)]
        _make_folders(missing, root)
        faults = _fetch_all(missing, root, Session(settings, backoff_s))
    if faults:
        shown = "; ".join(faults[:_SHOWN_FAULTS])
        more = f" and {len(faults) - _SHOWN_FAULTS} more" if len(faults) > _SHOWN_FAULTS else ""
        raise DataError(
            f"{len(faults)} of {len(files)} files could not be fetched: {shown}{more}; "
            "try again, or name a mirror (datasets.<name>.mirror, --mirror, BORDERLAB_MIRROR_<NAME>)"
        )
    return len(missing)


def is_whole(path: Path, file: RemoteFile) -> bool:
    """Whether `path` is there with the size and hash that are known of it."""
    return path.is_file() and _fault_of(path, file) is None


def _fault_of(path: Path, file: RemoteFile) -> str | None:
    """What is wrong with a complete download, or None."""
    size = path.stat().st_size
    if file.bytes is not None and size != file.bytes:
        return f"has {size} bytes, not {file.bytes}"
    if file.sha256 is not None and sha256_of_file(path) != file.sha256:
        return "has another SHA-256 than the one on record"
    if file.md5 is not None and _md5(path) != file.md5:
        return "has another MD5 than the one on record"
    return None


def _is_complete(part: Part) -> bool:
    """Whether all bytes are there, as far as a hash on record can tell."""
    file = part.file
    if not part.size or (file.sha256 is None and file.md5 is None) or file.bytes not in (None, part.size):
        return False
    return _fault_of(part.path, file) is None


def _fetch_all(files: Sequence[RemoteFile], root: Path, session: Session) -> list[str]:
    """One line about each file that no place had."""
    with session.client, ThreadPoolExecutor(session.settings.connections) as pool:
        outcomes = pool.map(partial(_fetch_one, session, root), files)
        return [fault for fault in _with_progress(outcomes, len(files), session.settings) if fault is not None]


def _fetch_one(session: Session, root: Path, file: RemoteFile) -> str | None:
    """Fetch one file from the first place that has it; None, or one line about why no place had.

    Raises:
        DataError: if the disk refuses it: it would refuse the other files too.
    """
    target = root / file.path
    part = Part(target, file)
    faults = []
    for place, get in _places(session, file):
        try:
            fault = _get(get, part)
            if fault is None:
                part.finish(target)
                return None
        except (FinalError, TransientError, httpx.HTTPError, httpx.InvalidURL) as fault_there:
            fault = " ".join(str(fault_there).split()) or type(fault_there).__name__
        except OSError as fault_here:
            raise DataError(
                f"{target}: cannot be written ({fault_here.strerror}); free space or choose another folders.data"
            ) from fault_here
        faults.append(f"{place} {fault}")
        log.info("%s: %s", file.path, faults[-1])
    return f"{file.path}: {', '.join(faults)}"


def _get(get: Getter, part: Part) -> str | None:
    """Fill `part` and verify it; what is wrong with it, or None.

    Beginning and end may be of two versions of the file: what was continued and turns out wrong is fetched once more,
    from its first byte.
    """
    if _is_complete(part):
        # The process that fetched it ended before it could give the file its name.
        return None
    resumed = get(part)
    fault = _fault_of(part.path, part.file)
    if fault is not None and resumed:
        part.drop()
        get(part)
        fault = _fault_of(part.path, part.file)
    if fault is not None:
        part.drop()
    return fault


def _places(session: Session, file: RemoteFile) -> Iterator[tuple[str, Getter]]:
    """(name, getter) of every place that may have the file, in order."""
    addresses = [file.url]
    mirror, folder = session.settings.mirror, session.settings.mirror_folder
    if folder is not None:
        source = folder / file.path
        yield str(source), partial(_copy, source)
    elif mirror is not None:
        addresses.insert(0, f"{mirror.rstrip('/')}/{file.path}")
    for address in addresses:
        yield address, partial(session.download, address)


def _copy(source: Path, part: Part) -> bool:
    try:
        stream = source.open("rb")
    except FileNotFoundError as fault:
        raise FinalError("is not there") from fault
    except OSError as fault:
        raise FinalError(f"cannot be read ({fault.strerror})") from fault
    with stream, part.path.open("wb") as out:
        shutil.copyfileobj(stream, out, _CHUNK_BYTES)
    return False


def _make_folders(files: Sequence[RemoteFile], root: Path) -> None:
    for folder in {(root / file.path).parent for file in files}:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise DataError(f"{folder}: cannot be written ({fault.strerror}); choose another folders.data") from fault
        if not os.access(folder, os.W_OK):
            raise DataError(f"{folder}: cannot be written (no permission); choose another folders.data")


def _with_progress(outcomes: Iterator[Any], total: int, settings: FetchSettings) -> Iterator[Any]:
    visible = settings.progress and sys.stderr.isatty()
    return iter(track(outcomes, description="fetch", total=total, disable=not visible))


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
