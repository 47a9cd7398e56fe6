"""The same content at another place in the window: what changes, and how near to the border.

Two windows are cut from one larger image, so that no pixel is made up. Where a shift is a whole number of a map's
cells, a network without borders would give exactly the same features in the overlap: what differs there comes from
the windows' borders, through padding and through content that only one of the windows holds. Shifts that are no whole
number of cells also change the phase of strided layers, so maps are compared at whole numbers alone.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float, Shaped
from numpy.typing import NDArray
from torch import Tensor

from borderlab.evaluation.rings import border_distance_px
from borderlab.probe.feature_maps import Activations, activations, side_ratio
from borderlab.probe.images import ProbeImages
from borderlab.probe.map_rings import rings_of
from borderlab.probe.networks import ProbedNetwork, Row

Shift = tuple[int, int]


def overlap(
    first: Shaped[Tensor, "*n h w"], second: Shaped[Tensor, "*n h w"], shift: Shift
) -> tuple[Shaped[Tensor, "*n h_both w_both"], Shaped[Tensor, "*n h_both w_both"]]:
    """The parts of two maps that show the same content, the second window `shift` = (down, right) cells farther."""
    down, right = shift
    height, width = first.shape[-2:]
    return first[..., down:, right:], second[..., : height - down, : width - right]


def overlap_distance(height: int, width: int, shift: Shift) -> NDArray[np.int32]:
    """Distance of each cell of the overlap from the nearer border of the two windows, in cells."""
    whole = torch.from_numpy(border_distance_px(height, width))
    first, second = overlap(whole, whole, shift)
    nearer: NDArray[np.int32] = torch.minimum(first, second).numpy()
    return nearer


class OverlapSums:
    """Squared changes, squared values and equal predictions at each cell of the overlap, summed over images."""

    def __init__(self) -> None:
        self.n_images = 0
        self.sums: Tensor | None = None

    def update(self, first: Float[Tensor, "n c h w"], second: Float[Tensor, "n c h w"]) -> None:
        """Add the overlaps of some images."""
        same = first.argmax(dim=1) == second.argmax(dim=1)
        level = (first.square().sum(1) + second.square().sum(1)) / 2
        parts = [(first - second).square().sum((0, 1)), level.sum(0), same.sum(0)]
        added = torch.stack([part.double().cpu() for part in parts])
        self.sums = added if self.sums is None else self.sums + added
        self.n_images += len(first)

    def rows(self, height: int, width: int, shift: Shift, *, predicts: bool) -> Iterator[Row]:
        """One row for each ring of the overlap; `predicts` where the channels are scores of classes."""
        if self.sums is None:
            raise ValueError("no map was added")
        for ring in rings_of(overlap_distance(height, width, shift)):
            change, level, same = self.sums[:, ring.cells].sum(dim=1).tolist()
            n_cells = self.n_images * int(ring.cells.sum())
            yield {
                "from_px": ring.from_px,
                "to_px": ring.to_px,
                "same_pct": 100 * same / n_cells if predicts else None,
                "relative_change": (change / level) ** 0.5 if level else None,
            }


def cells_of_shift(image_size: Shift, map_size: Shift, shift: Shift) -> Shift | None:
    """`shift` in cells of a map, or None if it is no whole number or leaves no overlap."""
    cells = []
    for image_side, map_side, pixels in zip(image_size, map_size, shift, strict=True):
        whole, rest = divmod(pixels, side_ratio(image_side, map_side))
        if rest or whole >= map_side:
            return None
        cells.append(whole)
    return cells[0], cells[1]


def shift_consistency(
    network: ProbedNetwork, modes: Sequence[str], shifts_px: Sequence[Shift], images: ProbeImages
) -> Iterator[Row]:
    """Rows of table `shift_consistency` for one network: by tested mode, shift, level and ring."""
    for mode in modes:
        for shift in shifts_px:
            for row in _shift_rows(network, mode, shift, images):
                yield {"tested_mode": mode, "dy_px": shift[0], "dx_px": shift[1], **row, "n_images": len(images)}


def _shift_rows(network: ProbedNetwork, mode: str, shift: Shift, images: ProbeImages) -> Iterator[Row]:
    module = network.padded(mode)
    levels: dict[str, tuple[OverlapSums, Shift, Shift]] = {}
    n_same = 0
    for pair in images.shifted_pairs(shift):
        first, second = (activations(module, network.normalise(image)) for image in pair)
        size = (int(pair[0].shape[1]), int(pair[0].shape[2]))
        for name, own, other in _compared(network, first, second):
            map_size = (int(own.shape[2]), int(own.shape[3]))
            cells = cells_of_shift(size, map_size, shift)
            if cells is not None:
                sums, *_ = levels.setdefault(name, (OverlapSums(), map_size, cells))
                sums.update(*overlap(own, other, cells))
        if network.task == "classification":
            n_same += int((first.logits.argmax(dim=1) == second.logits.argmax(dim=1)).sum())
    if network.task == "classification":
        same = 100 * n_same / len(images)
        yield {"level": "prediction", "from_px": 0, "to_px": None, "same_pct": same, "relative_change": None}
    for name, (sums, map_size, cells) in levels.items():
        for row in sums.rows(*map_size, cells, predicts=name == "logits"):
            yield {"level": name, **row}


def _compared(network: ProbedNetwork, first: Activations, second: Activations) -> Iterator[tuple[str, Tensor, Tensor]]:
    for number, (own, other) in enumerate(zip(first.maps, second.maps, strict=True), start=1):
        yield f"stage {number}", own, other
    if network.task == "segmentation":
        yield "logits", first.logits, second.logits
