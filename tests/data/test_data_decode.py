"""Files to arrays: every kind that data sets use, and every way in which a file can be wrong."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from borderlab.data.base import IGNORE_INDEX, INVALID_LABEL, Frame
from borderlab.data.decode import read_image, read_label, read_pair
from borderlab.errors import DataError


def photograph(height: int = 24, width: int = 32) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([8 * columns % 256, 9 * rows % 256, (5 * rows + 3 * columns) % 256], axis=2).astype(np.uint8)


def lut(n_classes: int = 5) -> NDArray[np.int16]:
    table = np.full(256, INVALID_LABEL, np.int16)
    table[:n_classes] = np.arange(n_classes)[::-1]
    table[n_classes] = IGNORE_INDEX
    return table


LABEL = (np.arange(24 * 32).reshape(24, 32) % 6).astype(np.uint8)


def test_png_is_read_as_rgb(tmp_path: Path) -> None:
    Image.fromarray(photograph()).save(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png"), photograph())


def test_jpeg_is_what_another_decoder_reads(tmp_path: Path) -> None:
    smooth = cv2.GaussianBlur(photograph(96, 128), (0, 0), 8)
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95, subsampling=0)
    with Image.open(tmp_path / "a.jpg") as image:
        other = np.asarray(image).astype(int)
    assert np.abs(read_image(tmp_path / "a.jpg") - other).max() <= 2


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_grey_and_transparent_become_three_channels(tmp_path: Path, mode: str) -> None:
    Image.fromarray(photograph()).convert(mode).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        expected = np.asarray(image.convert("RGB"))
    assert np.array_equal(read_image(tmp_path / "a.png"), expected)


def test_grey_label_becomes_train_ids(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), LABEL)
    assert np.array_equal(read_label(tmp_path / "a.png", lut()), np.array([4, 3, 2, 1, 0, 255])[LABEL])


@pytest.mark.parametrize("colours", [6, 200])
def test_palette_label_is_read_as_indices_and_not_as_colours(tmp_path: Path, colours: int) -> None:
    image = Image.fromarray(LABEL, mode=None).convert("P")
    image.putdata(LABEL.reshape(-1).tolist())
    image.putpalette([(37 * value) % 256 for value in range(3 * colours)])
    image.save(tmp_path / "a.png")
    assert np.array_equal(read_label(tmp_path / "a.png", lut()), np.array([4, 3, 2, 1, 0, 255])[LABEL])


def fault_of(read: object, *arguments: object) -> str:
    with pytest.raises(DataError) as caught:
        read(*arguments)  # type: ignore[operator]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_label_value_out_of_range_is_named(tmp_path: Path) -> None:
    wrong = LABEL.copy()
    wrong[3, 4:7] = 77
    cv2.imwrite(str(tmp_path / "a.png"), wrong)
    message = fault_of(read_label, tmp_path / "a.png", lut())
    assert "a.png: label value 77" in message
    assert "(3 pixels)" in message


@pytest.mark.parametrize("pixels", [photograph(), LABEL.astype(np.uint16) * 256], ids=["colour", "16 bits"])
def test_label_of_another_kind_is_refused(tmp_path: Path, pixels: NDArray[np.uint8]) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    assert "must have 8 bits and one channel" in fault_of(read_label, tmp_path / "a.png", lut())


# A JPEG that lacks its last bytes is a whole picture to every decoder; a PNG is not.
@pytest.mark.parametrize(
    ("suffix", "kept"), [("png", 0), ("png", 10), ("png", 60), ("png", -30), ("jpg", 0), ("jpg", 10), ("jpg", 60)]
)
def test_unreadable_image_is_one_line(tmp_path: Path, suffix: str, kept: int) -> None:
    path = tmp_path / f"a.{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:kept])
    assert str(path) in fault_of(read_image, path)


def test_truncated_label_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 5, (64, 64), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:-40])
    assert "is no readable label image" in fault_of(read_label, path, lut())


def test_missing_file_is_one_line(tmp_path: Path) -> None:
    assert "cannot be read (No such file" in fault_of(read_image, tmp_path / "a.png")


def test_sizes_that_differ_are_named(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "image.png"), photograph(24, 32))
    cv2.imwrite(str(tmp_path / "label.png"), LABEL[:-1])
    message = fault_of(read_pair, Frame("a", tmp_path / "image.png", tmp_path / "label.png"), lut())
    assert "image.png is 24x32" in message
    assert "label.png is 23x32" in message


def test_frame_without_label_is_refused(tmp_path: Path) -> None:
    assert "has no label" in fault_of(read_pair, Frame("a", tmp_path / "a.png", None), lut())
