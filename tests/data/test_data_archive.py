"""Archives that try to leave their folder, link out of it, or explode; and those that do not."""

import gzip
import io
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from borderlab.data.archive import extract
from borderlab.errors import DataError

MAX_BYTES = 1_000_000


def tar_of(path: Path, *members: tarfile.TarInfo, content: bytes = b"hello") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            member.size = len(content) if member.isfile() else 0
            archive.addfile(member, io.BytesIO(content) if member.isfile() else None)
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    return info


def refused(archive: Path, destination: Path, because: str, **bounds: int) -> None:
    with pytest.raises(DataError, match=because) as caught:
        extract(archive, destination, **{"max_bytes": MAX_BYTES, **bounds})
    assert "\n" not in str(caught.value)
    assert str(archive) in str(caught.value)
    assert not destination.exists()
    leftovers = [path for path in destination.parent.iterdir() if path != archive]
    assert leftovers == []


def test_ordinary_tar_is_extracted(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", member("set/train/a.txt"), member("set/b.txt"))
    extract(archive, tmp_path / "out", max_bytes=MAX_BYTES)
    assert (tmp_path / "out" / "set" / "train" / "a.txt").read_bytes() == b"hello"
    assert (tmp_path / "out" / "set" / "b.txt").read_bytes() == b"hello"


def test_ordinary_zip_is_extracted(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("set/a.txt", "hello")
    extract(tmp_path / "a.zip", tmp_path / "out", max_bytes=MAX_BYTES)
    assert (tmp_path / "out" / "set" / "a.txt").read_text() == "hello"


@pytest.mark.parametrize("name", ["../evil", "set/../../evil", "/tmp/evil", "C:\\evil", "..\\evil"])
def test_path_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    refused(tar_of(tmp_path / "a.tar.gz", member("good"), member(name)), tmp_path / "out", "outside the folder")


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil"])
def test_path_out_of_the_folder_is_refused_in_a_zip(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, "evil")
    refused(tmp_path / "a.zip", tmp_path / "out", "outside the folder")


@pytest.mark.parametrize(
    ("kind", "link", "because"),
    [
        (tarfile.SYMTYPE, "/etc/passwd", "is a link"),
        (tarfile.SYMTYPE, "../..", "is a link"),
        (tarfile.LNKTYPE, "good", "is a link"),
        (tarfile.CHRTYPE, "", "is a device"),
        (tarfile.FIFOTYPE, "", "is a device"),
    ],
)
def test_link_or_device_is_refused(tmp_path: Path, kind: bytes, link: str, because: str) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", member("good"), member("bad", kind, link))
    refused(archive, tmp_path / "out", because)


@pytest.mark.parametrize(("mode", "because"), [(0o120777, "is a link"), (0o010644, "is a device")])
def test_link_or_device_in_a_zip_is_refused(tmp_path: Path, mode: int, because: str) -> None:
    info = zipfile.ZipInfo("odd")
    info.external_attr = mode << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    refused(tmp_path / "a.zip", tmp_path / "out", because)


def test_huge_tar_is_refused_before_it_is_read_through(tmp_path: Path) -> None:
    """Three headers that promise a terabyte each, and nothing behind them: reading on would meet the end."""
    header = tarfile.TarInfo("huge")
    header.size = 1 << 40
    with gzip.open(tmp_path / "a.tar.gz", "wb") as stream:
        stream.write(header.tobuf(tarfile.GNU_FORMAT) * 3)
    refused(tmp_path / "a.tar.gz", tmp_path / "out", f"unpacks to more than {MAX_BYTES} bytes")


def test_bomb_is_refused_by_its_declared_size(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", member("big"), content=bytes(2 * MAX_BYTES))
    assert archive.stat().st_size < MAX_BYTES / 10
    refused(archive, tmp_path / "out", f"unpacks to more than {MAX_BYTES} bytes")


def test_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big", bytes(2 * MAX_BYTES))
    honest = (2 * MAX_BYTES).to_bytes(4, "little")
    content = path.read_bytes()
    assert content.count(honest) == 2
    path.write_bytes(content.replace(honest, (10).to_bytes(4, "little")))
    refused(path, tmp_path / "out", "larger than declared|cannot be extracted")


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", *(member(f"{index}") for index in range(20)))
    refused(archive, tmp_path / "out", "more than 10 members", max_members=10)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 cut off"])
def test_damaged_archive_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)
    refused(tmp_path / "a.tar.gz", tmp_path / "out", "cannot be extracted")


@pytest.mark.parametrize("at", [30, 60])
def test_damaged_compression_is_one_line(tmp_path: Path, at: int) -> None:
    """A zip whose deflated bytes are no stream at all."""
    noise = b"\xff" * 20
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("a", bytes(range(256)) * 20)
    whole = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(whole[:at] + noise + whole[at + len(noise) :])
    refused(tmp_path / "a.zip", tmp_path / "out", "cannot be extracted .*delete it and fetch it again")


def test_damaged_gzip_is_one_line(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", member("a"), content=random.Random(0).randbytes(5000))
    whole = archive.read_bytes()
    archive.write_bytes(whole[:2000] + b"\xff" * 200 + whole[2200:])
    refused(archive, tmp_path / "out", "cannot be extracted .*delete it and fetch it again")


def test_encrypted_zip_is_one_line(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", "secret")
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[6] |= 1  # the flag in the member's own header ...
    content[content.index(b"PK\x01\x02") + 8] |= 1  # ... and in the directory at the end
    (tmp_path / "a.zip").write_bytes(content)
    refused(tmp_path / "a.zip", tmp_path / "out", "cannot be extracted .*encrypted")


def test_folder_that_cannot_be_made_is_not_blamed_on_the_archive(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", member("a"))
    (tmp_path / "file").write_text("a file where a folder should be")
    with pytest.raises(DataError, match=r"cannot be extracted .*; free space or choose another folders\.data"):
        extract(archive, tmp_path / "file" / "out", max_bytes=MAX_BYTES)


def test_truncated_archive_is_one_line(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", member("a"), content=bytes(range(256)) * 1000)
    archive.write_bytes(archive.read_bytes()[:-200])
    refused(archive, tmp_path / "out", "cannot be extracted")
