"""Rings around the image: pixels by their distance from the image border.

3 x 5 pixels    0 0 0 0 0
                0 1 1 1 0
                0 0 0 0 0
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from borderlab.evaluation.confusion import ConfusionMatrix

RING_EDGES_PX = (0, 1, 2, 4, 8, 16, 32, 64, 128)


def border_distance_px(height: int, width: int) -> NDArray[np.int32]:
    """Distance (h w) of each pixel to the nearest side of the image: 0 on the outermost pixels."""
    rows = np.minimum(np.arange(height), np.arange(height)[::-1])
    columns = np.minimum(np.arange(width), np.arange(width)[::-1])
    return np.minimum(rows[:, None], columns).astype(np.int32)


@dataclass(frozen=True)
class Ring:
    """Pixels at a distance from_px <= d < to_px; the innermost ring has no `to_px`."""

    from_px: int
    to_px: int | None
    matrix: ConfusionMatrix


class RingConfusion:
    """One confusion matrix for each ring.

    Args:
        n_classes: number of classes.
        edges_px: ascending distances at which a ring begins, the first of them 0.
    """

    def __init__(self, n_classes: int, edges_px: Sequence[int] = RING_EDGES_PX) -> None:
        ends = [*edges_px[1:], None]
        self.edges_px = tuple(edges_px)
        self.rings = [Ring(start, end, ConfusionMatrix(n_classes)) for start, end in zip(edges_px, ends, strict=True)]

    def update(self, target: NDArray[np.uint8], pred: NDArray[np.uint8]) -> None:
        """Add the pixels of one whole image (h w)."""
        for ring, mask in zip(self.rings, _ring_masks(target.shape, self.edges_px), strict=True):
            if mask.any():
                ring.matrix.update(target[mask], pred[mask])

    def overall(self) -> ConfusionMatrix:
        """All rings together: the whole images."""
        total = ConfusionMatrix(self.rings[0].matrix.n_classes)
        for ring in self.rings:
            total.counts += ring.matrix.counts
        return total

    def __iter__(self) -> Iterator[Ring]:
        return iter(self.rings)


@lru_cache(maxsize=8)
def _ring_masks(size: tuple[int, int], edges_px: tuple[int, ...]) -> list[NDArray[np.bool_]]:
    index = np.searchsorted(edges_px, border_distance_px(*size), side="right") - 1
    return [index == ring for ring in range(len(edges_px))]
