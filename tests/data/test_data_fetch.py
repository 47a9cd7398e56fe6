"""Fetching against a real server on loopback that misbehaves in every way that servers do."""

import hashlib
import logging
import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from borderlab.data.base import FetchSettings, RemoteFile
from borderlab.data.camvid import CamVid
from borderlab.data.download import FinalError, Part, Session
from borderlab.data.fetch import fetch_files
from borderlab.data.receipt import fetch_split
from borderlab.errors import DataError

CONTENT = bytes(range(256)) * 1200
BACKOFF_S = 0.001


class Server:
    """What the server does for each path, and what it was asked."""

    def __init__(self) -> None:
        self.behaviour: dict[str, Any] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.sent_bytes = 0
        handler = self._handler()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self.http.server_port}"

    def _handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                span = self.headers.get("Range")
                server.requests.append((self.path, span))
                server.behaviour.get(self.path, missing)(server, self, span)

            def log_message(self, *arguments: object) -> None: ...

        return Handler

    def asked(self, path: str) -> list[str | None]:
        return [span for asked_path, span in self.requests if asked_path == path]


def answer(
    server: Server, handler: BaseHTTPRequestHandler, status: int, body: bytes, declared: int, **headers: str
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(declared))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)
    server.sent_bytes += len(body)


def missing(server: Server, handler: BaseHTTPRequestHandler, span: str | None) -> None:
    handler.send_error(404)


def whole(server: Server, handler: BaseHTTPRequestHandler, span: str | None, content: bytes = CONTENT) -> None:
    if span is None:
        return answer(server, handler, 200, content, len(content))
    start = int(span.removeprefix("bytes=").rstrip("-"))
    if start >= len(content):
        return answer(server, handler, 416, b"", 0)
    where = f"bytes {start}-{len(content) - 1}/{len(content)}"
    return answer(server, handler, 206, content[start:], len(content) - start, Content_Range=where)


def ignores_range(server: Server, handler: BaseHTTPRequestHandler, span: str | None) -> None:
    if len(server.asked(handler.path)) == 1:
        half(server, handler, span)
    else:
        answer(server, handler, 200, CONTENT, len(CONTENT))


def half(server: Server, handler: BaseHTTPRequestHandler, span: str | None) -> None:
    """Declares the whole, sends half, and closes."""
    answer(server, handler, 200, CONTENT[: len(CONTENT) // 2], len(CONTENT))
    handler.close_connection = True


def half_then_rest(server: Server, handler: BaseHTTPRequestHandler, span: str | None) -> None:
    half(server, handler, span) if span is None else whole(server, handler, span)


def busy_twice(server: Server, handler: BaseHTTPRequestHandler, span: str | None) -> None:
    busy(server, handler, span) if len(server.asked(handler.path)) <= 2 else whole(server, handler, span)


def busy(server: Server, handler: BaseHTTPRequestHandler, span: str | None) -> None:
    handler.send_response(503)
    handler.send_header("Retry-After", "0")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def altered(server: Server, handler: BaseHTTPRequestHandler, span: str | None) -> None:
    whole(server, handler, span, CONTENT[:-1] + b"?")


def short(server: Server, handler: BaseHTTPRequestHandler, span: str | None) -> None:
    """Complete as far as HTTP can tell, but shorter than the file on record."""
    whole(server, handler, span, CONTENT[:-100])


def half_without_length(server: Server, handler: BaseHTTPRequestHandler, span: str | None) -> None:
    """Closes half-way without having declared a length: HTTP cannot tell."""
    if span is not None:
        return whole(server, handler, span)
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(CONTENT[: len(CONTENT) // 2])
    handler.close_connection = True
    return None


def wrong_place(server: Server, handler: BaseHTTPRequestHandler, span: str | None) -> None:
    """Answers a range with the file's beginning."""
    if span is None:
        return half(server, handler, span) if len(server.asked(handler.path)) == 1 else whole(server, handler, span)
    end = len(CONTENT) - 1
    return answer(server, handler, 206, CONTENT, len(CONTENT), Content_Range=f"bytes 0-{end}/{len(CONTENT)}")


def changes_half_way(server: Server, handler: BaseHTTPRequestHandler, span: str | None) -> None:
    """Sends half of one version, then serves another, and honours `If-Range`."""
    if len(server.asked(handler.path)) == 1:
        answer(server, handler, 200, bytes(len(CONTENT) // 2), len(CONTENT), ETag='"old"')
        handler.close_connection = True
    elif span is not None and handler.headers.get("If-Range") in (None, '"new"'):
        whole(server, handler, span)
    else:
        answer(server, handler, 200, CONTENT, len(CONTENT), ETag='"new"')


def redirect_to(location: str) -> Any:
    def redirect(server: Server, handler: BaseHTTPRequestHandler, span: str | None) -> None:
        answer(server, handler, 302, b"", 0, Location=location)

    return redirect


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.http.shutdown()
    thread.join()
    made.http.server_close()


def remote(server: Server, name: str = "a.bin") -> RemoteFile:
    digest = hashlib.sha256(CONTENT).hexdigest()
    return RemoteFile(name, f"{server.address}/{name}", bytes=len(CONTENT), sha256=digest)


def settings(**changes: Any) -> FetchSettings:
    return FetchSettings(progress=False, attempts=4, timeout_s=5, **changes)


def fetch(files: list[RemoteFile], root: Path, **changes: Any) -> int:
    return fetch_files(files, root, settings(**changes), backoff_s=BACKOFF_S)


def fault_of(files: list[RemoteFile], root: Path, **changes: Any) -> str:
    with pytest.raises(DataError) as caught:
        fetch(files, root, **changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_whole_files_arrive_and_are_not_fetched_twice(server: Server, tmp_path: Path) -> None:
    names = [f"folder/{index}.bin" for index in range(20)]
    server.behaviour = {f"/{name}": whole for name in names}
    files = [remote(server, name) for name in names]
    assert fetch(files, tmp_path) == 20
    assert all((tmp_path / name).read_bytes() == CONTENT for name in names)
    asked = len(server.requests)
    assert fetch(files, tmp_path) == 0
    assert len(server.requests) == asked


def test_file_that_was_altered_on_disk_is_fetched_again(server: Server, tmp_path: Path) -> None:
    server.behaviour = {"/a.bin": whole}
    fetch([remote(server)], tmp_path)
    (tmp_path / "a.bin").write_bytes(CONTENT[:-1] + b"?")
    assert fetch([remote(server)], tmp_path) == 1
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_closed_half_way_resumes_and_only_the_rest_is_sent(server: Server, tmp_path: Path) -> None:
    server.behaviour = {"/a.bin": half_then_rest}
    fetch([remote(server)], tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    first, second = server.asked("/a.bin")
    assert first is None
    assert second is not None
    assert server.sent_bytes < 1.2 * len(CONTENT)


def test_resume_goes_on_in_a_later_call(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(CONTENT[:1000])
    server.behaviour = {"/a.bin": whole}
    fetch([remote(server)], tmp_path)
    assert server.asked("/a.bin") == ["bytes=1000-"]
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert not (tmp_path / "a.bin.part").exists()


def test_part_that_only_lacks_its_name_is_not_asked_for(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(CONTENT)
    assert fetch([remote(server)], tmp_path) == 1
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert not server.requests
    assert not (tmp_path / "a.bin.part").exists()


def test_server_that_ignores_ranges_begins_again(server: Server, tmp_path: Path) -> None:
    server.behaviour = {"/a.bin": ignores_range}
    fetch([remote(server)], tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_closed_without_a_length_resumes(server: Server, tmp_path: Path) -> None:
    server.behaviour = {"/a.bin": half_without_length}
    fetch([remote(server)], tmp_path)
    assert server.asked("/a.bin") == [None, f"bytes={len(CONTENT) // 2}-"]
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_range_that_starts_elsewhere_begins_again(server: Server, tmp_path: Path) -> None:
    server.behaviour = {"/a.bin": wrong_place}
    fetch([remote(server)], tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("known", ["hash", "tag"])
def test_file_that_changes_half_way_is_never_glued(server: Server, tmp_path: Path, known: str) -> None:
    server.behaviour = {"/a.bin": changes_half_way}
    file = remote(server) if known == "hash" else RemoteFile("a.bin", f"{server.address}/a.bin")
    fetch([file], tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_beginning_of_another_version_is_dropped(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(b"another file altogether")
    server.behaviour = {"/a.bin": whole}
    fetch([remote(server)], tmp_path)
    assert server.asked("/a.bin") == ["bytes=23-", None]
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_beginning_that_nothing_vouches_for_is_not_continued(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(b"x" * 1000)
    server.behaviour = {"/a.bin": whole}
    fetch([RemoteFile("a.bin", f"{server.address}/a.bin")], tmp_path)
    assert server.asked("/a.bin") == [None]
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_beginning_longer_than_the_file_is_dropped(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(CONTENT + b"more")
    server.behaviour = {"/a.bin": whole}
    fetch([remote(server)], tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_redirect_within_the_web_is_followed(server: Server, tmp_path: Path) -> None:
    server.behaviour = {"/a.bin": redirect_to("/elsewhere"), "/elsewhere": whole}
    fetch([remote(server)], tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


def test_redirect_to_a_local_file_is_refused_at_once(server: Server, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(CONTENT)
    server.behaviour = {"/a.bin": redirect_to(secret.as_uri())}
    message = fault_of([remote(server)], tmp_path / "data")
    assert f"redirects to {secret.as_uri()}, which is refused" in message
    assert len(server.asked("/a.bin")) == 1


def test_redirect_from_an_encrypted_to_an_open_address_is_refused(tmp_path: Path) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "http://open.example/a.bin"})

    session = Session(settings(), BACKOFF_S, httpx.MockTransport(respond))
    file = RemoteFile("a.bin", "https://safe.example/a.bin")
    with pytest.raises(FinalError, match=r"redirects to http://open\.example/a\.bin, which is refused"):
        session.download(file.url, Part(tmp_path / "a.bin", file))


def test_several_processes_take_turns(server: Server, tmp_path: Path) -> None:
    """Threads with a lock of their own stand for processes: the kernel's lock does not know the difference."""
    server.behaviour = {"/a.bin": whole}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: fetch([remote(server)], tmp_path), range(4)))
    assert len(server.asked("/a.bin")) == 1


def test_busy_server_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.behaviour = {"/a.bin": busy_twice}
    fetch([remote(server)], tmp_path)
    assert len(server.asked("/a.bin")) == 3
    assert (tmp_path / "a.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("behaviour", "cause", "asked"),
    [
        (missing, "answered 404", 1),
        (busy, "answered 503", 4),
        (altered, "another SHA-256", 1),
        (short, f"has {len(CONTENT) - 100} bytes, not {len(CONTENT)}", 1),
    ],
)
def test_fault_is_one_line_and_nothing_half_made_stays(
    server: Server, tmp_path: Path, behaviour: Any, cause: str, asked: int
) -> None:
    server.behaviour = {"/a.bin": behaviour, "/b.bin": whole}
    message = fault_of([remote(server), remote(server, "b.bin")], tmp_path)
    assert message.startswith("1 of 2 files could not be fetched: a.bin: ")
    assert server.address in message
    assert cause in message
    assert "name a mirror" in message
    assert len(server.asked("/a.bin")) == asked
    assert not (tmp_path / "a.bin").exists()
    assert (tmp_path / "b.bin").read_bytes() == CONTENT


def test_many_faults_are_summed_up(server: Server, tmp_path: Path) -> None:
    message = fault_of([remote(server, f"{index}.bin") for index in range(30)], tmp_path)
    assert message.startswith("30 of 30 files")
    assert message.count("answered 404") == 3
    assert "and 27 more" in message


def test_host_that_cannot_be_reached_is_not_asked_for_every_file(tmp_path: Path) -> None:
    gone = "http://127.0.0.1:9"
    files = [RemoteFile(f"{index}.bin", f"{gone}/{index}.bin") for index in range(500)]
    message = fault_of(files, tmp_path, connections=2)
    assert "127.0.0.1 cannot be reached" in message
    assert not list(tmp_path.glob("*.part"))


def test_mirror_folder_is_asked_first(server: Server, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "a.bin").write_bytes(CONTENT)
    fetch([remote(server)], tmp_path / "data", mirror=str(mirror))
    assert (tmp_path / "data" / "a.bin").read_bytes() == CONTENT
    assert server.requests == []


@pytest.mark.parametrize("there", [None, CONTENT[:50]])
def test_file_that_the_mirror_lacks_comes_from_the_public_address(
    server: Server, tmp_path: Path, there: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    if there is not None:
        (mirror / "a.bin").write_bytes(there)
    server.behaviour = {"/a.bin": whole}
    fetch([remote(server)], tmp_path / "data", mirror=str(mirror))
    assert (tmp_path / "data" / "a.bin").read_bytes() == CONTENT
    assert str(mirror) in caplog.text


def test_unreadable_mirror_is_not_taken_for_a_full_disk(server: Server, tmp_path: Path) -> None:
    (tmp_path / "mirror" / "a.bin").mkdir(parents=True)
    message = fault_of([remote(server)], tmp_path / "data", mirror=str(tmp_path / "mirror"))
    assert "cannot be read (Is a directory)" in message
    assert "answered 404" in message


def test_mirror_folder_that_is_not_there_is_named_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mirror .*nowhere: no such folder; name one with the layout of camvid"):
        fetch_split(CamVid(), tmp_path / "data", "val", mirror=str(tmp_path / "nowhere"), receipt=tmp_path / "r.json")
    assert list(tmp_path.iterdir()) == []


def test_mirror_address_is_asked_first(server: Server, tmp_path: Path) -> None:
    server.behaviour = {"/copy/a.bin": whole}
    fetch([remote(server)], tmp_path, mirror=f"{server.address}/copy/")
    assert [path for path, _ in server.requests] == ["/copy/a.bin"]


def test_folder_below_a_file_is_one_line(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    message = fault_of([remote(server)], tmp_path / "data")
    assert "cannot be written" in message
    assert server.requests == []


def test_full_disk_is_one_line_and_leaves_no_whole_file(server: Server, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=False).returncode:
        pytest.skip("a small file system cannot be mounted here: needs root")
    try:
        server.behaviour = {"/a.bin": whole}
        message = fault_of([remote(server)], disk)
        assert "cannot be written (No space left on device)" in message
        assert not (disk / "a.bin").exists()
    finally:
        subprocess.run(["umount", disk], check=True)
