"""Rings of a feature map: its cells by distance from the map's border, in cells of that map."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool
from numpy.typing import NDArray
from torch import Tensor

from borderlab.evaluation.rings import RING_EDGES_PX, border_distance_px


@dataclass(frozen=True)
class MapRing:
    """Cells at a distance from_px <= d < to_px; the last ring has no `to_px`."""

    from_px: int
    to_px: int | None
    cells: Bool[Tensor, "h w"]


def rings_of(distance: NDArray[np.int32]) -> list[MapRing]:
    """Rings that occur in a map of distances (h w), the outermost first."""
    ends = [*RING_EDGES_PX[1:], None]
    found = []
    for start, end in zip(RING_EDGES_PX, ends, strict=True):
        inside = (distance >= start) if end is None else (distance >= start) & (distance < end)
        if inside.any():
            found.append(MapRing(start, end, torch.from_numpy(inside)))
    return found


def map_rings(height: int, width: int) -> list[MapRing]:
    """Rings of a whole map, the outermost first."""
    return rings_of(border_distance_px(height, width))


def interior(height: int, width: int) -> Bool[Tensor, "h w"] | None:
    """Cells at least half as far from the border as the farthest ones; None if no cell is farther than another.

    5 x 5 cells    . . . . .
                   . x x x .
                   . x x x .
                   . x x x .
                   . . . . .
    """
    distance = border_distance_px(height, width)
    farthest = int(distance.max())
    return torch.from_numpy(distance >= (farthest + 1) // 2) if farthest else None


def centre(height: int, width: int) -> Bool[Tensor, "h w"]:
    """The cells farthest from the border."""
    distance = border_distance_px(height, width)
    return torch.from_numpy(distance == distance.max())
