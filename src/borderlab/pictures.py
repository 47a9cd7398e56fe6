"""Pictures for people: train ids in colours, errors in red, files in PNG."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from borderlab.data.base import IGNORE_INDEX
from borderlab.errors import DataError

# One colour for each street class, near to CamVid's own; other data sets go round the wheel.
_PALETTE = (
    (128, 178, 224), (156, 94, 74), (222, 190, 112), (118, 102, 128), (206, 132, 178), (92, 148, 76),
    (232, 206, 70), (120, 140, 170), (66, 92, 190), (214, 74, 70), (64, 164, 164), (150, 120, 60),
    (188, 150, 220), (110, 190, 120), (240, 150, 90), (90, 110, 120), (180, 180, 120), (140, 60, 110), (70, 130, 110),
)  # fmt: skip
_VOID = (24, 24, 24)
_WRONG, _RIGHT, _UNKNOWN = (206, 52, 52), (226, 230, 234), (150, 150, 150)


def colour_label(label: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Train ids (h w) as RGB (h w 3); void is nearly black."""
    table = np.array([_PALETTE[index % len(_PALETTE)] for index in range(256)], dtype=np.uint8)
    table[IGNORE_INDEX] = _VOID
    coloured: NDArray[np.uint8] = table[label]
    return coloured


def colour_error(target: NDArray[np.uint8], pred: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Wrong pixels red, right ones light, pixels without truth grey: RGB (h w 3)."""
    image = np.empty((*target.shape, 3), np.uint8)
    image[:] = _WRONG
    image[target == pred] = _RIGHT
    image[target == IGNORE_INDEX] = _UNKNOWN
    return image


def write_pictures(folder: Path, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
    """Write RGB pictures as `<name>.png` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, pixels in pictures.items():
        if not cv2.imwrite(str(folder / f"{name}.png"), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)):
            raise DataError(f"{folder / name}.png: cannot be written; check that the disk has room")


def spread(n: int, wanted: int) -> list[int]:
    """At most `wanted` indices of 0..n-1, evenly spread."""
    if n <= wanted:
        return list(range(n))
    return [round((index + 0.5) * n / wanted - 0.5) for index in range(wanted)]
