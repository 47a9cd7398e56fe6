"""Splits that are decoded once and kept."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.random import default_rng

from borderlab.data import decoded as module
from borderlab.data.base import LabelledImage
from borderlab.data.decode import read_image
from borderlab.data.decoded import DecodedImages, decoded_images
from borderlab.errors import DataError

ROOM = 1e9


@pytest.fixture
def images(tmp_path: Path) -> list[LabelledImage]:
    """Photographs of unequal sizes, as files."""
    made = []
    for index, size in enumerate([(8, 12), (20, 9), (10, 10)]):
        path = tmp_path / "train" / f"{index}.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), default_rng(index).integers(0, 256, (*size, 3), dtype=np.uint8))
        made.append(LabelledImage(f"image {index}", path, 2 * index))
    return made


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files that were decoded, in order."""
    seen: list[Path] = []

    def note(path: Path) -> np.ndarray:
        seen.append(path)
        return read_image(path)

    monkeypatch.setattr(module, "read_image", note)
    return seen


def kept(images: list[LabelledImage], limit: float = ROOM, content: str = "set") -> DecodedImages:
    path = images[0].image
    assert isinstance(path, Path)
    return decoded_images(images, path.parents[1] / "decoded" / "train", content, limit)


def check(made: DecodedImages, images: list[LabelledImage]) -> None:
    for index, image in enumerate(images):
        (height, width), place = made.load(index)
        assert place == index
        start = made.first[index]
        assert isinstance(image.image, Path)
        own = made.pixels[start : start + height * width].reshape(height, width, 3)
        assert np.array_equal(own, read_image(image.image))
    assert made.targets.tolist() == [0, 2, 4]
    assert [made.sample_id(index) for index in range(3)] == ["image 0", "image 1", "image 2"]


def test_images_lie_one_behind_the_other_and_are_decoded_once(images: list[LabelledImage], reads: list[Path]) -> None:
    check(kept(images), images)
    n_sampled = len(images)  # each is looked at once to judge the size of the split
    assert len(reads) == n_sampled + len(images)
    check(kept(images), images)
    assert len(reads) == 2 * n_sampled + len(images)


def test_a_changed_file_another_set_or_a_cut_file_are_decoded_anew(images: list[LabelledImage]) -> None:
    kept(images)
    path = images[1].image
    assert isinstance(path, Path)
    cv2.imwrite(str(path), np.full((5, 6, 3), 9, np.uint8))
    assert kept(images).sizes.tolist() == [[8, 12], [5, 6], [10, 10]]
    pixels = path.parents[1] / "decoded" / "train" / "pixels.bin"
    before = pixels.stat().st_ino
    kept(images, content="another set")
    assert pixels.stat().st_ino != before
    os.truncate(pixels, 10)
    check(kept(images, content="another set"), images)
    pixels.with_name("index.npz").write_bytes(b"nothing")
    check(kept(images, content="another set"), images)


def test_readers_keep_what_they_have_while_it_is_made_anew(images: list[LabelledImage]) -> None:
    first = kept(images)
    expected = np.array(first.pixels)
    kept(images, content="another set")
    assert np.array_equal(first.pixels, expected)


def test_a_fault_leaves_nothing_behind(images: list[LabelledImage], tmp_path: Path) -> None:
    path = images[2].image
    assert isinstance(path, Path)
    path.write_bytes(b"no image")
    with pytest.raises(DataError, match=r"2\.png: is no readable image"):
        kept(images)
    assert not (tmp_path / "decoded" / "train").exists()
    assert not list((tmp_path / "decoded").glob(".*.part"))


def test_too_much_is_refused_in_one_line_before_it_is_decoded(images: list[LabelledImage], tmp_path: Path) -> None:
    message = (
        r"^3 decoded images take about 0\.00 GiB, and resident images may take 0\.00 GiB here: "
        "set `resident: false` in the recipe$"
    )
    with pytest.raises(DataError, match=message):
        kept(images, limit=1000)
    assert not (tmp_path / "decoded").exists()


def test_a_set_that_turns_out_larger_is_refused_on_the_way(
    images: list[LabelledImage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SAMPLED_IMAGES", 1)
    # The first image would let one think of 3 x 288 bytes.
    with pytest.raises(DataError, match="set `resident: false`"):
        kept(images, limit=900)


def test_an_empty_split_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no image of split val"):
        decoded_images([], tmp_path / "decoded" / "val", "set", ROOM)


def test_embedded_images_are_not_kept_on_disk(tmp_path: Path) -> None:
    pixels = default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    made = decoded_images([LabelledImage("a", pixels, 1)], tmp_path / "decoded" / "train", "set", ROOM)
    assert np.array_equal(made.pixels.reshape(4, 5, 3), pixels)
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_written_they_are_held_in_memory(
    images: list[LabelledImage], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    check(kept(images), images)
    assert not (tmp_path / "decoded").exists()
