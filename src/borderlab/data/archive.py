"""Safe extraction: nothing leaves the folder, nothing links, nothing explodes.

Archives come from outside, and a crafted member name or link can write anywhere on the disk. Every member is checked
before the first byte is written, sizes are checked again while writing, and the folder appears only when it is whole.
"""

import errno
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from borderlab.errors import DataError
from borderlab.files import atomic_folder

_CHUNK_BYTES = 1 << 20

# What the readers of the standard library raise for content that is damaged, encrypted, or of an unknown compression.
_UNREADABLE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    UnicodeError,
)
_DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


@dataclass(frozen=True)
class _Member:
    """One file or folder of an archive, whatever its format."""

    name: str
    size: int
    kind: str


def extract(archive: Path, destination: Path, *, max_bytes: int, max_members: int = 2_000_000) -> None:
    """Extract `archive` (zip, tar, tar.gz, tar.bz2, tar.xz) into `destination`, which appears whole or not at all.

    Args:
        archive: the file.
        destination: folder that takes the members; replaced if it exists.
        max_bytes: most bytes that all members together may hold.
        max_members: most members.

    Raises:
        DataError: if the archive is damaged, names a path outside the folder, holds a link or device, or is larger
            than allowed.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                _extract_zip(opened, archive, destination, max_bytes, max_members)
        else:
            with tarfile.open(archive) as opened_tar:
                _extract_tar(opened_tar, archive, destination, max_bytes, max_members)
    except _UNREADABLE as fault:
        if isinstance(fault, OSError) and fault.errno in _DISK_FAULTS:
            advice = "free space or choose another folders.data"
        else:
            advice = "delete it and fetch it again"
        raise DataError(f"{archive}: cannot be extracted ({' '.join(str(fault).split())}); {advice}") from fault


def _extract_zip(opened: zipfile.ZipFile, archive: Path, destination: Path, max_bytes: int, max_members: int) -> None:
    members = {_zip_member(info): info for info in opened.infolist()}
    _check(list(members), archive, max_bytes, max_members)
    with atomic_folder(destination) as part:
        for member, info in members.items():
            if member.kind == "file":
                with opened.open(info) as stream:
                    _write(stream, part / member.name, member, archive)


def _extract_tar(opened: tarfile.TarFile, archive: Path, destination: Path, max_bytes: int, max_members: int) -> None:
    infos = {_tar_member(info): info for info in _bounded(opened, archive, max_bytes, max_members)}
    _check(list(infos), archive, max_bytes, max_members)
    with atomic_folder(destination) as part:
        for member, info in infos.items():
            stream = opened.extractfile(info) if member.kind == "file" else None
            if stream is not None:
                with stream:
                    _write(stream, part / member.name, member, archive)


def _bounded(opened: tarfile.TarFile, archive: Path, max_bytes: int, max_members: int) -> Iterator[tarfile.TarInfo]:
    """Headers one by one: to list all of a compressed archive is to unpack it, however large it says it is."""
    total = 0
    for count, info in enumerate(opened):
        total += info.size
        if count >= max_members:
            raise DataError(f"{archive}: has more than {max_members} members; it is not what it should be")
        if total > max_bytes:
            raise DataError(f"{archive}: unpacks to more than {max_bytes} bytes; it is not what it should be")
        yield info


def _check(members: list[_Member], archive: Path, max_bytes: int, max_members: int) -> None:
    if len(members) > max_members:
        raise DataError(f"{archive}: has {len(members)} members, more than {max_members}; it is not what it should be")
    total = sum(member.size for member in members)
    if total > max_bytes:
        raise DataError(f"{archive}: unpacks to more than {max_bytes} bytes; it is not what it should be")
    for member in members:
        if member.kind not in ("file", "folder"):
            raise DataError(f"{archive}: {member.name!r} is a {member.kind}; refused, nothing was extracted")
        if _leaves(member.name):
            raise DataError(f"{archive}: {member.name!r} would be written outside the folder; nothing was extracted")


def _leaves(name: str) -> bool:
    """Whether a member's name could lead out of the folder, on any system."""
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    absolute = posix.is_absolute() or bool(windows.drive) or bool(windows.root)
    return absolute or ".." in posix.parts or ".." in windows.parts or "\0" in name


def _write(stream: IO[bytes], path: Path, member: _Member, archive: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        shutil.copyfileobj(_Bounded(stream, member, archive), out, _CHUNK_BYTES)


class _Bounded:
    """A stream that refuses to give more than the member's declared size: a declared size can lie."""

    def __init__(self, stream: IO[bytes], member: _Member, archive: Path) -> None:
        self.stream, self.member, self.archive, self.left = stream, member, archive, member.size

    def read(self, size: int = -1) -> bytes:
        chunk = self.stream.read(size)
        self.left -= len(chunk)
        if self.left < 0:
            raise DataError(f"{self.archive}: {self.member.name!r} is larger than declared; nothing was extracted")
        return chunk


def _zip_member(info: zipfile.ZipInfo) -> _Member:
    kind_bits = stat.S_IFMT(info.external_attr >> 16)
    if info.is_dir():
        kind = "folder"
    elif kind_bits in (0, stat.S_IFREG):
        kind = "file"
    else:
        kind = "link" if kind_bits == stat.S_IFLNK else "device"
    return _Member(info.filename, info.file_size, kind)


def _tar_member(info: tarfile.TarInfo) -> _Member:
    if info.isfile():
        kind = "file"
    elif info.isdir():
        kind = "folder"
    else:
        kind = "link" if info.issym() or info.islnk() else "device"
    return _Member(info.name, info.size, kind)
