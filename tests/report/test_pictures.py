"""Sample pictures: exact label colours, small photographs, each stored once, within the budget."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from borderlab.errors import RunError
from borderlab.report.pictures import MAX_WIDTH_PX, Album, data_address, sample_folders


def write(path: Path, image: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
    return path


def decode(address: str) -> NDArray[np.uint8]:
    encoded = np.frombuffer(base64.b64decode(address.partition(",")[2]), np.uint8)
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), dtype=np.uint8)


@pytest.fixture
def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)


def test_labels_stay_exact_and_photographs_become_jpeg(tmp_path: Path, noise) -> None:
    label = data_address(write(tmp_path / "label.png", noise))
    assert label.startswith("data:image/png;base64,")
    np.testing.assert_array_equal(decode(label), noise)
    assert data_address(write(tmp_path / "frame.png", noise)).startswith("data:image/jpeg;base64,")


def test_large_labels_shrink_without_new_colours(tmp_path: Path) -> None:
    label = np.zeros((300, 3 * MAX_WIDTH_PX, 3), np.uint8)
    label[:, ::2] = (10, 200, 30)
    small = decode(data_address(write(tmp_path / "label.png", label)))
    assert small.shape == (100, MAX_WIDTH_PX, 3)
    assert {tuple(colour) for colour in small.reshape(-1, 3).tolist()} <= {(0, 0, 0), (10, 200, 30)}


def test_equal_pictures_are_stored_once(tmp_path: Path, noise) -> None:
    album = Album()
    one, other = (write(tmp_path / name / "label.png", noise) for name in ("a", "b"))
    assert album.add({"one": one, "other": other}) == {"one": 0, "other": 0}
    assert album.add({"again": one}) == {"again": 0}
    assert album.used_bytes == len(album.addresses[0])
    assert len(album.addresses) == 1


def test_pictures_in_the_page_itself_cost_their_size_each_time(tmp_path: Path, noise) -> None:
    album = Album(repeats=True)
    path = write(tmp_path / "label.png", noise)
    assert album.add({"one": path, "other": path}) == {"one": 0, "other": 1}
    assert album.used_bytes == 2 * len(data_address(path))


def test_a_full_album_takes_no_part_of_a_group_and_counts_what_it_leaves_out(tmp_path: Path, noise) -> None:
    paths = [write(tmp_path / str(k) / "label.png", noise + np.uint8(k)) for k in range(3)]
    album = Album(budget_bytes=2 * len(data_address(paths[0])))
    assert album.add({"first": paths[0]}) == {"first": 0}
    assert album.add({"second": paths[1], "third": paths[2]}) is None
    assert album.left_out == 2
    assert len(album.addresses) == 1
    assert album.used_bytes == len(album.addresses[0])


def test_a_missing_or_damaged_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"frame\.png: is missing or no picture"):
        data_address(tmp_path / "frame.png")
    (tmp_path / "label.png").write_bytes(b"no picture")
    with pytest.raises(RunError, match=r"label\.png: is missing or no picture"):
        data_address(tmp_path / "label.png")


def test_samples_are_sorted_and_may_be_absent(tmp_path: Path) -> None:
    assert sample_folders(tmp_path) == []
    for name in ("b", "a"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
    assert [path.name for path in sample_folders(tmp_path)] == ["a", "b"]
