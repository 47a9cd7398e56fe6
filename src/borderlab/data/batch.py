"""Batches: stacked as bytes, normalised once for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from borderlab.data.source import Target
from borderlab.spec import MemoryFormat

Statistics = tuple[float, float, float]
NamedSample = tuple[NDArray[Any], Target, str]
_KEPT_ROWS = 64


@dataclass(frozen=True)
class Batch:
    """What a network is given (n c h w), what its output is held against, and the samples' names."""

    image: Tensor
    target: Tensor
    sample_ids: tuple[str, ...]


@dataclass(frozen=True)
class RawBatch:
    """Images (n h w 3) and targets (n or n h w) as they are stored; a quarter of the bytes of normalised ones."""

    image: Tensor
    target: Tensor
    sample_ids: tuple[str, ...]


@dataclass(frozen=True)
class Normalisation:
    """From uint8 RGB to what a network expects: in 0..1, minus mean, divided by standard deviation."""

    mean: Statistics
    std: Statistics
    memory_format: MemoryFormat = "channels_last"

    def __call__(self, images: Tensor) -> Tensor:
        """Float32 (n 3 h w) of uint8 (n h w 3), on the device where the images are."""
        width = images.shape[2]
        mean, std = (_rows_of(values, width, images.device) for values in (self.mean, self.std))
        # Whole rows at a time: an inner axis of three channels would be too short for vector instructions.
        rows = images.float().flatten(2).sub_(mean).div_(std)
        # Permuting (n h w 3) gives channels-last memory without a copy.
        normalised = rows.unflatten(2, (width, 3)).permute(0, 3, 1, 2)
        return normalised if self.memory_format == "channels_last" else normalised.contiguous()

    @property
    def fill(self) -> tuple[int, int, int]:
        """The uint8 colour nearest to zero after normalisation."""
        red, green, blue = (round(255 * value) for value in self.mean)
        return red, green, blue

    def batch(self, raw: RawBatch) -> Batch:
        """The batch that a network is given."""
        return Batch(self(raw.image), raw.target.long(), raw.sample_ids)


# A copy to a GPU waits for all its earlier work: once for each width, not for each batch.
@lru_cache(maxsize=_KEPT_ROWS)
def _rows_of(values: Statistics, width: int, device: torch.device) -> Tensor:
    """One row of an image (3 width) with `values` of 0..1 as its colour, in 0..255."""
    with torch.inference_mode(False):
        return 255 * torch.tensor(values, device=device).repeat(width)


def stack(samples: Sequence[NamedSample]) -> RawBatch:
    """One batch of samples of one size."""
    images = torch.from_numpy(np.stack([image for image, _, _ in samples]))
    targets = torch.from_numpy(np.stack([np.asarray(target) for _, target, _ in samples]))
    return RawBatch(images, targets, tuple(name for _, _, name in samples))


def join(batches: Sequence[RawBatch]) -> RawBatch:
    """One batch of several, in order."""
    names = tuple(name for batch in batches for name in batch.sample_ids)
    return RawBatch(
        torch.cat([batch.image for batch in batches]), torch.cat([batch.target for batch in batches]), names
    )
