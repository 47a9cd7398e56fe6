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


class Session:
    """What the connections of one fetch share: the client, and the hosts that could not be reached at all.

    A host that refuses even the connection is not asked for a thousand more files.
    """

    def __init__(self, settings: FetchSettings, backoff_s: float) -> None:
        self.settings = settings
        self.backoff_s = backoff_s
        self.unreachable: dict[str, str] = {}
        # No transparent compression: byte ranges and sizes must be those of the file.
        self.client = httpx.Client(
            timeout=settings.timeout_s,
            limits=httpx.Limits(max_connections=settings.connections),
            headers={"Accept-Encoding": "identity"},
            follow_redirects=True,
        )

    def download(self, address: str, part: Path) -> None:
        """Fill `part` from `address`, over as many connections as it takes."""
        host = httpx.URL(address).host
        if host in self.unreachable:
            raise FinalError(f"not asked again: {self.unreachable[host]}")
        retrying = Retrying(
            stop=stop_after_attempt(self.settings.attempts),
            wait=_wait(self.backoff_s),
            retry=retry_if_exception_type((TransientError, httpx.TransportError)),
            reraise=True,
        )
        try:
            retrying(_download_once, self.client, address, part)
        except httpx.ConnectError as fault:
            self.unreachable[host] = f"{host} cannot be reached ({fault})"
            raise FinalError(self.unreachable[host]) from fault


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
    session = Session(settings, backoff_s)
    with session.client, ThreadPoolExecutor(settings.connections) as pool:
        outcomes = pool.map(partial(_fetch_one, session, root), missing)
        faults = [fault for fault in _with_progress(outcomes, len(missing), settings) if fault is not None]
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


def _fetch_one(session: Session, root: Path, file: RemoteFile) -> str | None:
    """Fetch one file from the first place that has it; None, or one line about why no place had."""
    target = root / file.path
    faults = []
    for place, get in _places(session, file):
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
        log.info("%s: %s", file.path, faults[-1])
    return f"{file.path}: {', '.join(faults)}"


def _places(session: Session, file: RemoteFile) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """(name, getter) of every place that may have the file, in order."""
    addresses = [file.url]
    mirror = session.settings.mirror
    if mirror is not None:
        if mirror.startswith(("http://", "https://")):
            addresses.insert(0, f"{mirror.rstrip('/')}/{file.path}")
        else:
            source = Path(mirror) / file.path
            yield str(source), partial(_copy, source)
    for address in addresses:
        yield address, partial(session.download, address)


def _copy(source: Path, part: Path) -> None:
    if not source.is_file():
        raise FinalError("is not there")
    shutil.copyfile(source, part)


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
            # As it arrives: a chunk that waits to be filled would be lost when the connection breaks.
            for chunk in response.iter_raw():
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
