"""Fetching of files: in parallel, resumed, retried, verified, and whole or absent.

A file is asked of the mirror first, if there is one, then of its public address. What arrives goes into `<name>.part`;
a connection that breaks is resumed from there by an HTTP range request, and the file takes its name only after its
size and hash are right.
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
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from borderlab.data.base import FetchSettings, RemoteFile
from borderlab.errors import DataError
from borderlab.files import sha256_of_file

_CHUNK_BYTES = 1 << 18
_SHOWN_FAULTS = 3
_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}

log = logging.getLogger(__name__)


class TransientError(Exception):
    """A fault of the network or server that may pass; `wait_s` is what the server asks for."""

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class FinalError(Exception):
    """A fault that another try at the same address will not mend."""


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
    _make_folders(missing, root)
    with _client(settings) as client, ThreadPoolExecutor(settings.connections) as pool:

        def attempt(file: RemoteFile) -> str | None:
            return _fetch_one(file, root, settings, client, backoff_s)

        outcomes = list(_with_progress(pool.map(attempt, missing), len(missing), settings))
    faults = [fault for fault in outcomes if fault is not None]
    if faults:
        shown = "; ".join(faults[:_SHOWN_FAULTS])
        more = f" and {len(faults) - _SHOWN_FAULTS} more" if len(faults) > _SHOWN_FAULTS else ""
        raise DataError(
            f"{len(faults)} of {len(files)} files could not be fetched: {shown}{more}; "
            "try again, or name a mirror (datasets.<name>.mirror, --mirror)"
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


def _fetch_one(
    file: RemoteFile, root: Path, settings: FetchSettings, client: httpx.Client, backoff_s: float
) -> str | None:
    """Fetch one file from the first place that has it; None, or one line about why no place had."""
    target = root / file.path
    faults = []
    for place, get in _places(file, settings, client, backoff_s):
        try:
            part = target.with_name(f"{target.name}.part")
            get(part)
            fault = _fault_of(part, file)
            if fault is None:
                part.replace(target)
                return None
            part.unlink()
            faults.append(f"{place} {fault}")
        except (FinalError, TransientError, httpx.HTTPError) as fault_there:
            faults.append(f"{place} {fault_there or type(fault_there).__name__}")
        except OSError as fault_here:
            return f"{target} cannot be written ({fault_here.strerror})"
        log.warning("%s: %s", file.path, faults[-1])
    return f"{file.path}: {', '.join(faults)}"


def _places(
    file: RemoteFile, settings: FetchSettings, client: httpx.Client, backoff_s: float
) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """(name, getter) of every place that may have the file, in order."""
    addresses = [file.url]
    if settings.mirror is not None:
        if settings.mirror.startswith(("http://", "https://")):
            addresses.insert(0, f"{settings.mirror.rstrip('/')}/{file.path}")
        else:
            source = Path(settings.mirror) / file.path
            yield str(source), partial(_copy, source)
    for address in addresses:
        yield address, partial(_download, client, address, attempts=settings.attempts, backoff_s=backoff_s)


def _copy(source: Path, part: Path) -> None:
    if not source.is_file():
        raise FinalError("is not there")
    shutil.copyfile(source, part)


def _download(client: httpx.Client, address: str, part: Path, *, attempts: int, backoff_s: float) -> None:
    """Fill `part` from `address`, over as many connections as it takes."""
    retrying = Retrying(
        stop=stop_after_attempt(attempts),
        wait=_wait(backoff_s),
        retry=retry_if_exception_type((TransientError, httpx.TransportError)),
        reraise=True,
    )
    retrying(_download_once, client, address, part)


def _wait(backoff_s: float) -> Callable[[RetryCallState], float]:
    """Exponential back-off with jitter, or what the server asks for (at most a minute)."""
    exponential = wait_random_exponential(multiplier=backoff_s, max=60 * backoff_s)

    def wait(state: RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome is not None else None
        if isinstance(fault, TransientError) and fault.wait_s is not None:
            return min(fault.wait_s, 60.0)
        return float(exponential(state))

    return wait


def _download_once(client: httpx.Client, address: str, part: Path) -> None:
    """One connection: the rest of `part` if there is a beginning, else all of it."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with client.stream("GET", address, headers=headers) as response:
        _check_status(response, part)
        # A server that ignores the range sends everything, with status 200: begin again.
        mode = "ab" if response.status_code == httpx.codes.PARTIAL_CONTENT else "wb"
        with part.open(mode) as stream:
            for chunk in response.iter_bytes(_CHUNK_BYTES):
                stream.write(chunk)


def _check_status(response: httpx.Response, part: Path) -> None:
    status = response.status_code
    if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        # The beginning on disk is longer than the file: it belongs to something else.
        part.unlink()
        raise TransientError("refused to resume")
    if status in _TRANSIENT:
        asked = response.headers.get("Retry-After", "")
        raise TransientError(f"answered {status}", float(asked) if asked.isdigit() else None)
    if status not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        raise FinalError(f"answered {status}")


def _client(settings: FetchSettings) -> httpx.Client:
    limits = httpx.Limits(max_connections=settings.connections)
    # No transparent compression: byte ranges and sizes must be those of the file.
    headers = {"Accept-Encoding": "identity"}
    return httpx.Client(timeout=settings.timeout_s, limits=limits, headers=headers, follow_redirects=True)


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
