"""Activation statistics by distance from the border of each feature map, relative to the map's interior.

Photographs show other things at their border than in their centre, so one profile alone says little: compare the
profiles of padding modes on the same images.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from borderlab.probe.feature_maps import activations
from borderlab.probe.images import ProbeImages
from borderlab.probe.map_rings import interior, map_rings
from borderlab.probe.networks import ProbedNetwork, Row


class CellSums:
    """Sums over images at each cell and channel of one map: of the activation, its square and its magnitude."""

    def __init__(self) -> None:
        self.n_images = 0
        self.sums: Tensor | None = None

    def update(self, maps: Float[Tensor, "n c h w"]) -> None:
        """Add the maps of some images."""
        added = torch.stack([maps.sum(0), maps.square().sum(0), maps.abs().sum(0)]).double().cpu()
        self.sums = added if self.sums is None else self.sums + added
        self.n_images += len(maps)

    def over(self, cells: Bool[Tensor, "h w"]) -> "Statistics":
        """Statistics of the activations in `cells`."""
        if self.sums is None:
            raise ValueError("no map was added")
        mean, square, magnitude = (self.sums[:, :, cells].sum(-1) / (self.n_images * int(cells.sum()))).unbind()
        return Statistics(mean, square, magnitude)


@dataclass(frozen=True)
class Statistics:
    """Means over images and some cells, for each channel: of the activation, its square and its magnitude."""

    mean: Float[Tensor, " c"]
    square: Float[Tensor, " c"]
    magnitude: Float[Tensor, " c"]

    @property
    def sd(self) -> float:
        """Standard deviation over images, cells and channels."""
        return float((self.square.mean() - self.mean.mean().square()).clamp(min=0).sqrt())

    @property
    def channel_sd(self) -> Float[Tensor, " c"]:
        """Standard deviation over images and cells, for each channel."""
        return (self.square - self.mean.square()).clamp(min=0).sqrt()


def relative_to(inside: Statistics, ring: Statistics) -> dict[str, float | None]:
    """A ring's statistics relative to the interior's.

    Returns:
        `magnitude_ratio`: mean magnitude over the interior's; 1 where nothing differs. `sd_ratio`: the same of the
        standard deviation. `mean_shift_sd`: how far the channels' means have moved, in standard deviations of the
        interior, as root mean square over channels that vary there. None where the interior is all zero.
    """
    varies = inside.channel_sd > 1e-6 * max(inside.sd, 1e-30)
    moved = ((ring.mean - inside.mean) / inside.channel_sd)[varies]
    return {
        "magnitude_ratio": _ratio(float(ring.magnitude.mean()), float(inside.magnitude.mean())),
        "sd_ratio": _ratio(ring.sd, inside.sd),
        "mean_shift_sd": float(moved.square().mean().sqrt()) if len(moved) else None,
    }


def ring_profile(sums: CellSums, height: int, width: int) -> Iterator[Row]:
    """One row for each ring of a map; none for a map without an interior."""
    inside = interior(height, width)
    if inside is None:
        return
    reference = sums.over(inside)
    for ring in map_rings(height, width):
        place = {"map_height": height, "map_width": width, "from_px": ring.from_px, "to_px": ring.to_px}
        yield {**place, **relative_to(reference, sums.over(ring.cells))}


def border_profile(network: ProbedNetwork, modes: Sequence[str], images: ProbeImages) -> Iterator[Row]:
    """Rows of table `border_profile` for one network: by tested mode, stage and ring."""
    for mode in modes:
        module = network.padded(mode)
        stages: list[CellSums] = []
        sizes: list[tuple[int, int]] = []
        for batch in images.batches():
            maps = activations(module, network.normalise(batch.image)).maps
            stages = stages or [CellSums() for _ in maps]
            sizes = [(int(own.shape[2]), int(own.shape[3])) for own in maps]
            for sums, own in zip(stages, maps, strict=True):
                sums.update(own)
        for number, (sums, size) in enumerate(zip(stages, sizes, strict=True), start=1):
            for row in ring_profile(sums, *size):
                yield {"tested_mode": mode, "stage": number, **row, "n_images": sums.n_images}


def _ratio(value: float, reference: float) -> float | None:
    return value / reference if reference else None
