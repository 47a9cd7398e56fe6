"""Image and label files to arrays, or one line that names the file and its fault.

JPEG is decoded by simplejpeg and colour PNG by pyspng or OpenCV, which are several times faster than Pillow. Label
files must keep their numbers: the fast decoders turn a palette PNG into colours, so those are read by Pillow.
EXIF orientation is ignored: the data sets here store upright pixels.
"""

from pathlib import Path

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from borderlab.data.base import INVALID_LABEL, Frame
from borderlab.errors import DataError

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_JPEG_MAGIC = b"\xff\xd8"
_BIT_DEPTH, _COLOUR_TYPE = 24, 25
_PALETTE = 3


def read_image(path: Path) -> NDArray[np.uint8]:
    """The image in `path` as uint8 RGB (h, w, 3); grey becomes three equal channels, transparency is dropped.

    Raises:
        DataError: if the file is missing or cannot be decoded.
    """
    return decode_image(_read(path), path)


def decode_image(content: bytes, path: Path) -> NDArray[np.uint8]:
    """As `read_image`, from the file's bytes; `path` is for messages."""
    if content.startswith(_JPEG_MAGIC):
        try:
            return simplejpeg.decode_jpeg(content, colorspace="RGB", fastdct=False, fastupsample=False)
        except ValueError as fault:
            raise DataError(f"{path}: is no readable JPEG ({fault}); fetch it again") from fault
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB) if content else None
    if pixels is None or _is_truncated_png(content):
        raise DataError(f"{path}: is no readable image ({len(content)} bytes); fetch it again")
    return pixels


def read_label(path: Path, label_lut: NDArray[np.int16]) -> NDArray[np.uint8]:
    """The label file `path` as train ids, uint8 (h, w).

    Args:
        path: an 8-bit grey or palette image of label ids.
        label_lut: train id of each label id, `INVALID_LABEL` where none may occur.

    Raises:
        DataError: if the file cannot be decoded, has other than 8 bits and one channel, or holds an id that must not
            occur.
    """
    label_ids = _decode_label(_read(path), path)
    train_ids = label_lut[label_ids]
    if train_ids.min() == INVALID_LABEL:
        wrong = label_ids[train_ids == INVALID_LABEL]
        raise DataError(
            f"{path}: label value {int(wrong[0])} is not one of the data set's ({wrong.size} pixels); "
            "check that it belongs to this data set"
        )
    return train_ids.astype(np.uint8)


def read_pair(frame: Frame, label_lut: NDArray[np.int16]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Image and label of a frame.

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


def _decode_label(content: bytes, path: Path) -> NDArray[np.uint8]:
    if content.startswith(_PNG_MAGIC) and content[_COLOUR_TYPE] == _PALETTE:
        return _decode_palette(path)
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) if content else None
    if pixels is None or _is_truncated_png(content):
        raise DataError(f"{path}: is no readable label image ({len(content)} bytes); fetch it again")
    if pixels.ndim != 2 or pixels.dtype != np.uint8:
        channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        raise DataError(f"{path}: a label must have 8 bits and one channel, not {pixels.dtype} and {channels}")
    return pixels


def _decode_palette(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            return np.asarray(image, dtype=np.uint8)
    except (OSError, SyntaxError, UnidentifiedImageError) as fault:
        raise DataError(f"{path}: is no readable label image ({fault}); fetch it again") from fault


def _is_truncated_png(content: bytes) -> bool:
    """OpenCV fills what is missing of a cut PNG with zeros and says nothing: look for the end mark."""
    return content.startswith(_PNG_MAGIC) and b"IEND" not in content[-16:]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise DataError(f"{path}: cannot be read ({fault.strerror}); fetch the data set") from fault


def _size(pixels: NDArray[np.uint8]) -> str:
    return f"{pixels.shape[0]}x{pixels.shape[1]}"
