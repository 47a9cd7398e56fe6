"""Image and label files to arrays, or one line that names the file and its fault.

JPEG is decoded by simplejpeg and PNG by pyspng, which are faster than Pillow and OpenCV. Labels must keep their
numbers: decoders turn a palette into colours and stretch grey of 1, 2 or 4 bits over 0..255; here both come out as the
numbers that the file holds. EXIF orientation is ignored, as image and label would part: the data sets here store
upright pixels.
"""

from pathlib import Path

import cv2
import numpy as np
import pyspng
import simplejpeg
from numpy.typing import NDArray

from borderlab.data.base import INVALID_LABEL, Frame
from borderlab.data.png import GREY, PALETTE, PNG_MAGIC, Png, check_png
from borderlab.errors import DataError

_JPEG_MAGIC = b"\xff\xd8"


def read_image(path: Path) -> NDArray[np.uint8]:
    """The image in `path` as uint8 RGB (h, w, 3).

    Grey becomes three equal channels, transparency is dropped, 16 bits lose the lower eight.

    Raises:
        DataError: if the file is missing, cut short or cannot be decoded.
    """
    return decode_image(_read(path), path)


def decode_image(content: bytes, path: Path) -> NDArray[np.uint8]:
    """As `read_image`, from the file's bytes; `path` is for messages."""
    try:
        return _decode_image(content)
    except (ValueError, RuntimeError) as fault:
        raise DataError(f"{path}: is no readable image ({fault}; {len(content)} bytes); fetch it again") from fault


def read_label(path: Path, label_lut: NDArray[np.int16]) -> NDArray[np.uint8]:
    """The label file `path` as train ids, uint8 (h, w).

    Args:
        path: a PNG of label ids: grey or palette, of at most 8 bits. Other formats may lose numbers.
        label_lut: train id of each label id 0..255, `INVALID_LABEL` where none may occur.

    Raises:
        DataError: if the file cannot be decoded, has other than 8 bits and one channel, or holds an id that must not
            occur.
    """
    label_ids = _read_label_ids(path)
    # OpenCV looks numbers up five times as fast as numpy's indexing does.
    train_ids: NDArray[np.int16] = cv2.LUT(label_ids, np.asarray(label_lut, np.int16))
    if train_ids.min() == INVALID_LABEL:
        raise DataError(f"{path}: {_invalid_values(label_ids, label_lut)}; check that it belongs to this data set")
    return train_ids.astype(np.uint8)


def read_pair(frame: Frame, label_lut: NDArray[np.int16]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Image (h, w, 3) and train ids (h, w) of a frame.

    Raises:
        DataError: if either cannot be read, the frame has no label, or their sizes differ.
    """
    if frame.label is None:
        raise DataError(f"{frame.image}: has no label; choose a split with labels")
    image, label = read_image(frame.image), read_label(frame.label, label_lut)
    if image.shape[:2] != label.shape:
        raise DataError(
            f"{frame.image} is {_size(image)} but its label {frame.label} is {_size(label)} (height x width); "
            "they must be of one size"
        )
    return image, label


def _decode_image(content: bytes) -> NDArray[np.uint8]:
    if content.startswith(_JPEG_MAGIC):
        return simplejpeg.decode_jpeg(content, colorspace="RGB", fastdct=False, fastupsample=False)
    if content.startswith(PNG_MAGIC):
        return pyspng.load(check_png(content).content, format="RGB")
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags) if content else None
    if pixels is None:
        raise ValueError("it has no known format")
    return pixels


def _read_label_ids(path: Path) -> NDArray[np.uint8]:
    content = _read(path)
    try:
        png = check_png(content)
        _check_holds_numbers(png, path)
        grey = png.index_image() if png.colour_type == PALETTE else content
        # The decoder stretches fewer than 8 bits over 0..255, in equal steps.
        step = 255 // (2**png.bit_depth - 1)
        stretched = pyspng.load(grey, format="L")
        return stretched if step == 1 else stretched // step
    except (ValueError, RuntimeError) as fault:
        raise DataError(
            f"{path}: is no readable label image ({fault}; {len(content)} bytes); fetch it again"
        ) from fault


def _check_holds_numbers(png: Png, path: Path) -> None:
    if png.colour_type not in (GREY, PALETTE) or png.bit_depth > 8:
        kind = {GREY: "grey", PALETTE: "palette"}.get(png.colour_type, "colour or transparency")
        raise DataError(f"{path}: a label must have 8 bits and one channel, not {png.bit_depth} bits of {kind}")


def _invalid_values(label_ids: NDArray[np.uint8], label_lut: NDArray[np.int16]) -> str:
    """What is wrong with a label: the values that must not occur, and how many pixels hold each."""
    values, counts = np.unique(label_ids[label_lut[label_ids] == INVALID_LABEL], return_counts=True)
    more = f" and {len(values) - 1} more values" if len(values) > 1 else ""
    return f"label value {values[0]} ({counts[0]} pixels){more} is not one of the data set's"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise DataError(f"{path}: cannot be read ({fault.strerror}); fetch the data set") from fault


def _size(pixels: NDArray[np.uint8]) -> str:
    return f"{pixels.shape[0]}x{pixels.shape[1]}"
