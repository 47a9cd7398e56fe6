"""Errors of sample predictions by their distance from a border: the image's, or the next object's.

The page's slider keeps pixels nearer than a reach and pales all others; this module makes what it needs.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from borderlab.data.base import IGNORE_INDEX
from borderlab.evaluation.rings import border_distance_px
from borderlab.pictures import colour_error
from borderlab.report.pictures import encoded, read_picture
from borderlab.report.view import Borders

Kind = Literal["image", "object"]
WORDS: dict[Kind, str] = {"image": "the image border", "object": "an object's border"}
REACHES_PX: dict[Kind, tuple[int, ...]] = {"image": (1, 2, 4, 8, 16, 32, 64, 128), "object": (1, 2, 3, 5, 8, 12)}
FARTHEST_PX = 255

Picture = NDArray[np.uint8]
Distance = NDArray[np.int32]

# How an error picture paints a wrong pixel, and one without truth.
_, _WRONG, _UNKNOWN = colour_error(np.array([[0, 0, IGNORE_INDEX]], np.uint8), np.array([[0, 1, 0]], np.uint8))[0]


def borders_of(kind: Kind, label: Path, errors: Sequence[Path | None]) -> Borders:
    """What a gallery's slider needs.

    Args:
        kind: the border whose distance counts.
        label: the true label in colours.
        errors: the error picture of each of the gallery's columns; None for a column without one.

    Raises:
        RunError: if a picture is missing.
    """
    coloured = read_picture(label)
    distance = border_distance_px(*coloured.shape[:2]) if kind == "image" else object_distance_px(coloured)
    reaches = [reach for reach in REACHES_PX[kind] if reach <= distance.max()]
    shares = [[] if path is None else _texts(read_picture(path), distance, reaches) for path in errors]
    clipped = np.minimum(distance, FARTHEST_PX).astype(np.uint8)
    return Borders(WORDS[kind], reaches, encoded(clipped, photograph=False), shares)


def object_distance_px(label: Picture) -> Distance:
    """Distance (h w, Chebyshev) from the next pixel that touches another colour: 0 on such a pixel itself.

    A label of one colour has no border: its distances are as large as can be.
    """
    kernel = np.ones((3, 3), np.uint8)
    touches = (cv2.dilate(label, kernel) != cv2.erode(label, kernel)).any(axis=-1)
    if not touches.any():
        return np.full(label.shape[:2], FARTHEST_PX, np.int32)
    return np.rint(cv2.distanceTransform((~touches).astype(np.uint8), cv2.DIST_C, 3)).astype(np.int32)


def wrong_pct(error: Picture, distance: Distance, reaches: Sequence[int]) -> list[float]:
    """Share of wrong pixels in percent among those nearer than each of `reaches`, and, last, among all.

    Pixels without truth do not count; NaN where none does.
    """
    counted = (error != _UNKNOWN).any(axis=-1)
    wrong = (error == _WRONG).all(axis=-1)
    near = [distance < reach for reach in reaches] + [np.ones_like(counted)]
    totals = [(int((wrong & own).sum()), int((counted & own).sum())) for own in near]
    return [100 * hits / total if total else float("nan") for hits, total in totals]


def _texts(error: Picture, distance: Distance, reaches: Sequence[int]) -> list[str]:
    return [f"{share:.1f} % wrong" if share == share else "no truth" for share in wrong_pct(error, distance, reaches)]
