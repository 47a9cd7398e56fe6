"""Files to arrays: every kind that data sets use, and every way in which a file can be wrong."""

import struct
import zlib
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


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("mode", ["L", "P"])
def test_labels_of_few_bits_keep_their_numbers(tmp_path: Path, bits: int, mode: str) -> None:
    numbers = (np.arange(13 * 17).reshape(13, 17) % min(2**bits, 6)).astype(np.uint8)
    if mode == "P":
        image = Image.fromarray(numbers).convert("P")
        image.putdata(numbers.reshape(-1).tolist())
        image.putpalette([(37 * value) % 256 for value in range(3 * 2**bits)])
        image.save(tmp_path / "a.png", bits=bits)
    else:
        (tmp_path / "a.png").write_bytes(grey_png(numbers, bits))
    assert np.array_equal(read_label(tmp_path / "a.png", lut()), np.array([4, 3, 2, 1, 0, 255])[numbers])


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def grey_png(numbers: NDArray[np.uint8], bits: int) -> bytes:
    """A grey PNG of 1, 2 or 4 bits, which Pillow does not write: packed rows, each after filter byte 0."""
    height, width = numbers.shape
    spread = np.unpackbits(numbers[..., None], axis=2)[..., 8 - bits :].reshape(height, -1)
    rows = np.insert(np.packbits(spread, axis=1), 0, 0, axis=1)
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes())) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_image_of_16_bits_keeps_the_upper_eight(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 2**16, (8, 9, 3), dtype=np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), deep[..., ::-1])
    assert np.array_equal(read_image(tmp_path / "a.png"), deep >> 8)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_orientation_is_ignored(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn, which OpenCV would carry out on the image and not on its label
    Image.fromarray(photograph()).save(tmp_path / f"a.{suffix}", exif=exif)
    assert read_image(tmp_path / f"a.{suffix}").shape == photograph().shape


def test_printers_colours_become_rgb(tmp_path: Path) -> None:
    smooth = cv2.GaussianBlur(photograph(96, 128), (0, 0), 8)
    Image.fromarray(smooth).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - smooth).mean() < 3


def test_format_that_is_neither_png_nor_jpeg(tmp_path: Path) -> None:
    Image.fromarray(photograph()).save(tmp_path / "a.bmp")
    assert np.array_equal(read_image(tmp_path / "a.bmp"), photograph())


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
    assert "a.png: label value 77 (3 pixels) is not one of" in message


def test_further_values_out_of_range_are_counted(tmp_path: Path) -> None:
    wrong = LABEL.copy()
    wrong[0, :3] = (9, 100, 200)
    cv2.imwrite(str(tmp_path / "a.png"), wrong)
    assert "label value 9 (1 pixels) and 2 more values" in fault_of(read_label, tmp_path / "a.png", lut())


@pytest.mark.parametrize("pixels", [photograph(), LABEL.astype(np.uint16) * 256], ids=["colour", "16 bits"])
def test_label_of_another_kind_is_refused(tmp_path: Path, pixels: NDArray[np.uint8]) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), pixels)
    assert "must have 8 bits and one channel" in fault_of(read_label, tmp_path / "a.png", lut())


@pytest.mark.parametrize(
    ("suffix", "kept"), [("png", 0), ("png", 10), ("png", 60), ("png", -30), ("jpg", 0), ("jpg", 10), ("jpg", -30)]
)
def test_unreadable_image_is_one_line(tmp_path: Path, suffix: str, kept: int) -> None:
    path = tmp_path / f"a.{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:kept])
    assert str(path) in fault_of(read_image, path)


@pytest.mark.parametrize("place", [0.3, 0.5, 0.9])
def test_png_with_a_wrong_byte_is_refused(tmp_path: Path, place: float) -> None:
    path = tmp_path / "a.png"
    noise = np.random.default_rng(0).integers(0, 5, (64, 64), dtype=np.uint8)
    cv2.imwrite(str(path), noise)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 0x10
    path.write_bytes(content)
    assert "a checksum is wrong" in fault_of(read_image, path)
    assert "a checksum is wrong" in fault_of(read_label, path, lut())


def test_what_follows_the_end_mark_is_no_fault(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), LABEL)
    with (tmp_path / "a.png").open("ab") as stream:
        stream.write(b"left over")
    assert read_label(tmp_path / "a.png", lut()).shape == LABEL.shape


def test_png_without_a_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""))
    assert "it has no header" in fault_of(read_image, tmp_path / "a.png")


def test_lossy_label_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.jpg"), LABEL)
    assert "it is no PNG" in fault_of(read_label, tmp_path / "a.jpg", lut())


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
