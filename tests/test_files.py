"""Files are whole or absent."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from borderlab.files import atomic_file, atomic_folder, canonical_json, read_json, sha256_of_file, write_json


class StoppedError(Exception):
    """Stands for whatever ends a write half-way."""


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with contextlib.suppress(StoppedError), atomic_file(path) as part:
        part.write_text("half")
        raise StoppedError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_file_appears_under_its_name_with_ordinary_permissions(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with atomic_file(path) as part:
        part.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert path.stat().st_mode & 0o044


def test_folder_takes_the_place_of_an_old_one(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").touch()
    with atomic_folder(path) as part:
        (part / "new").touch()
    assert [entry.name for entry in path.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [path]


def test_failed_folder_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").touch()
    with contextlib.suppress(StoppedError), atomic_folder(path) as part:
        (part / "new").touch()
        raise StoppedError
    assert [entry.name for entry in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize("context", [atomic_file, atomic_folder])
@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda: FULL.write_text("one"), "No space left on device"),
        (lambda: np.zeros(1000).tofile(FULL), "1000 requested and 0 written"),
    ],
)
def test_full_disk_names_what_was_written(
    tmp_path: Path,
    context: Callable[..., contextlib.AbstractContextManager[Path]],
    write: Callable[[], None],
    reason: str,
) -> None:
    path = tmp_path / "result"
    with pytest.raises(OSError, match=reason) as caught, context(path):
        write()
    assert (caught.value.filename, caught.value.strerror) == (str(path), reason)
    assert list(tmp_path.iterdir()) == []


def test_json_round_trip_and_refusal_of_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": [1, None]})
    assert read_json(tmp_path / "a.json") == {"b": [1, None]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", float("nan"))
    assert read_json(tmp_path / "a.json") == {"b": [1, None]}


def test_canonical_json_does_not_depend_on_order() -> None:
    assert canonical_json({"b": 1, "a": [2]}) == canonical_json(json.loads('{"a": [2], "b": 1}')) == '{"a":[2],"b":1}'


def test_sha256_of_a_known_file(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of_file(tmp_path / "abc") == expected
