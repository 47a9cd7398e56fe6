"""One file from one address: resumed where it broke off, tried again where that may help.

What arrives goes into `<name>.part`. A beginning is continued only if that cannot go wrong unseen: the file's hash is
on record, or the server named its version by an entity tag (kept in `<name>.tag.part`), which it is then held to.
"""

import re
from collections.abc import Callable
from pathlib import Path

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from borderlab.data.base import FetchSettings, RemoteFile

_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
_LONGEST_WAIT_S = 60.0
_CONTENT_RANGE = re.compile(r"bytes (?P<start>\d+)-\d+/(?P<total>\d+|\*)")


class TransientError(Exception):
    """A fault of the network or server that may pass; `wait_s` is what the server asks for."""

    def __init__(self, message: str, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class FinalError(Exception):
    """A fault that another try at the same address will not mend."""


class Part:
    """What has arrived of one file, and the server's version that it belongs to."""

    def __init__(self, target: Path, file: RemoteFile) -> None:
        self.file = file
        self.path = target.with_name(f"{target.name}.part")
        self._tag_path = target.with_name(f"{target.name}.tag.part")

    @property
    def size(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    def drop(self) -> None:
        """Begin again."""
        self.path.unlink(missing_ok=True)
        self._tag_path.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        """Give the file its name."""
        self.path.replace(target)
        self._tag_path.unlink(missing_ok=True)

    def resume_headers(self, address: str) -> dict[str, str]:
        """Headers that ask for the rest; none, and an empty part, where continuing would not be safe."""
        tag = self._tag(address)
        has_hash = self.file.sha256 is not None or self.file.md5 is not None
        if not self.size or not (has_hash or tag):
            self.drop()
            return {}
        return {"Range": f"bytes={self.size}-"} | ({"If-Range": tag} if tag else {})

    def keep_tag(self, address: str, tag: str) -> None:
        """Remember the version that the bytes belong to; a weak tag (`W/...`) does not name one."""
        self._tag_path.unlink(missing_ok=True)
        if tag.startswith('"'):
            self._tag_path.write_text(f"{address}\n{tag}", encoding="utf-8")

    def _tag(self, address: str) -> str | None:
        if not self._tag_path.exists():
            return None
        kept_address, _, tag = self._tag_path.read_text(encoding="utf-8").partition("\n")
        return tag if kept_address == address else None


class Session:
    """What the connections of one fetch share: the client, and the hosts that could not be reached at all.

    A host that refuses even the connection is not asked for a thousand more files.
    """

    def __init__(self, settings: FetchSettings, backoff_s: float, transport: httpx.BaseTransport | None = None) -> None:
        self.settings = settings
        self.backoff_s = backoff_s
        self.unreachable: dict[str, str] = {}
        # No transparent compression: byte ranges and sizes must be those of the file.
        self.client = httpx.Client(
            timeout=settings.timeout_s,
            limits=httpx.Limits(max_connections=settings.connections),
            headers={"Accept-Encoding": "identity"},
            follow_redirects=True,
            event_hooks={"response": [_refuse_unsafe_redirect]},
            transport=transport,
        )

    def download(self, address: str, part: Part) -> bool:
        """Fill `part` from `address`, over as many connections as it takes; return whether one was continued.

        Raises:
            FinalError: if this address will not give the file.
            TransientError: if it did not, in all attempts.
            httpx.TransportError: if the connection broke, in all attempts.
        """
        host = httpx.URL(address).host
        if host in self.unreachable:
            raise FinalError(f"not asked again: {self.unreachable[host]}")
        retrying = Retrying(
            stop=stop_after_attempt(self.settings.attempts),
            wait=_wait(self.backoff_s),
            retry=retry_if_exception_type((TransientError, httpx.TransportError)),
            reraise=True,
        )
        resumed = part.size > 0
        try:
            retrying(_download_once, self.client, address, part)
        except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
            self.unreachable[host] = f"{host} cannot be reached ({fault or 'it does not answer'})"
            raise FinalError(self.unreachable[host]) from fault
        return resumed or retrying.statistics["attempt_number"] > 1


def _refuse_unsafe_redirect(response: httpx.Response) -> None:
    """Follow a redirect only to the web, and never from an encrypted connection to an open one."""
    if not response.has_redirect_location:
        return
    location = response.headers["Location"]
    scheme = response.url.join(location).scheme
    if scheme != "https" and (scheme != "http" or response.url.scheme == "https"):
        raise FinalError(f"redirects to {location}, which is refused")


def _wait(backoff_s: float) -> Callable[[RetryCallState], float]:
    """Exponential back-off with jitter, or what the server asks for (at most a minute)."""
    exponential = wait_random_exponential(multiplier=backoff_s, max=_LONGEST_WAIT_S * backoff_s)

    def wait(state: RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome is not None else None
        if isinstance(fault, TransientError) and fault.wait_s is not None:
            return min(fault.wait_s, _LONGEST_WAIT_S)
        return float(exponential(state))

    return wait


def _download_once(client: httpx.Client, address: str, part: Part) -> None:
    """One connection: the rest of `part` if there is a beginning that may be continued, else all of it."""
    try:
        with client.stream("GET", address, headers=part.resume_headers(address)) as response:
            _check_status(response, part)
            _check_beginning(response, address, part)
            _append(response, part)
    except httpx.UnsupportedProtocol as fault:
        raise FinalError(str(fault)) from fault


def _check_status(response: httpx.Response, part: Part) -> None:
    status = response.status_code
    if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        # The beginning on disk is no shorter than the file: it belongs to something else.
        part.drop()
        raise TransientError("refused to resume")
    if status in _TRANSIENT:
        asked = response.headers.get("Retry-After", "")
        raise TransientError(f"answered {status}", float(asked) if asked.isdigit() else None)
    if status not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        raise FinalError(f"answered {status}")


def _check_beginning(response: httpx.Response, address: str, part: Part) -> None:
    """See that what follows fits what is there; drop what is there if the server sends the whole file."""
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        span = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if span is None or int(span["start"]) != part.size:
            part.drop()
            raise TransientError("resumed at another byte than it was asked for")
        total = span["total"]
    else:
        part.drop()
        part.keep_tag(address, response.headers.get("ETag", ""))
        total = response.headers.get("Content-Length", "")
    if part.file.bytes is not None and total.isdigit() and int(total) != part.file.bytes:
        part.drop()
        raise FinalError(f"has {total} bytes, not {part.file.bytes}")


def _append(response: httpx.Response, part: Part) -> None:
    expected, size = part.file.bytes, part.size
    with part.path.open("ab") as stream:
        # As it arrives: a chunk that waits to be filled would be lost when the connection breaks.
        for chunk in response.iter_raw():
            stream.write(chunk)
            size += len(chunk)
            if expected is not None and size > expected:
                break
    if expected is None or size == expected:
        return
    if size > expected:
        part.drop()
        raise FinalError(f"has more than {expected} bytes")
    # Without a declared length a broken connection looks like the end.
    raise TransientError(f"ended after {size} of {expected} bytes")
