"""Parts of many images, cut out and resized to one size in two matrix products: for images that lie on a device.

Along each axis, output pixel i of a cut is centred at `start + (i + 0.5) * step` in the image, and weighs the pixels
around it by a triangle as wide as one output pixel, and never narrower than one input pixel:

    weight(i, j) = max(0, 1 - |j + 0.5 - centre(i)| / max(1, |step|))    for low <= j < high, divided by their sum

That is what `torch.nn.functional.interpolate` computes with `antialias=True`, and between 8-bit roundings what
`borderlab.data.augment.resize_image` does. A negative step flips. An output pixel whose centre lies outside the image
is 0.

Convention:
    pixel centres lie at i + 0.5. Images are (n h w 3); sizes and steps are in pixels.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from borderlab.data.augment import ImageChange, draw_image_change, place_of_centre_crop
from borderlab.data.decoded import DecodedImages
from borderlab.spec import AugmentSpec, EvaluationSpec, Size

Numbers = NDArray[np.float64]
"""Eight numbers: start, step, low and high, of the rows and then of the columns."""


def cut_of_change(change: ImageChange, size: Size) -> Numbers:
    """The cut of one training sample: its part of the image, as if nothing else were there."""
    rows = _axis(change.top, change.height, size[0])
    columns = _axis(change.left, change.width, size[1])
    if change.flip:
        columns[:2] = columns[0] + columns[1] * size[1], -columns[1]
    return np.concatenate([rows, columns])


def cut_of_centre(image_size: NDArray[np.int64], spec: EvaluationSpec) -> Numbers:
    """The cut that `borderlab.data.augment.centre_crop` takes, for an evaluation with a crop."""
    resized, place = place_of_centre_crop(tuple(image_size.tolist()), spec)
    axes = []
    for side, new_side, first in zip(image_size, resized, place, strict=True):
        step = side / new_side
        axes.append([first * step, step, 0.0, float(side)])
    return np.array(axes).ravel()


def draw_cut(spec: AugmentSpec, image_size: NDArray[np.int64], index: int, random: Generator) -> tuple[Numbers, int]:
    """Cut and colours (13 numbers) of one training sample, drawn as `augment_classification` draws them."""
    change = draw_image_change(tuple(image_size.tolist()), spec, random)
    return np.concatenate([cut_of_change(change, spec.crop), change.colours]), index


def _axis(first: int, length: int, n_out: int) -> Numbers:
    return np.array([first, length / n_out, first, first + length])


@dataclass(frozen=True)
class _Span:
    """The input pixels along one axis that the cuts of a batch need: `first` (n) of each, `count` of all."""

    first: NDArray[np.int64]
    count: int


class PixelStore:
    """Decoded images on a device."""

    def __init__(self, images: DecodedImages, device: torch.device) -> None:
        self.device = device
        self.pixels = torch.from_numpy(images.pixels).to(device)
        self._sizes, self._first = images.sizes, images.first

    def cut(self, index: NDArray[np.int64], cuts: Numbers, size: Size) -> Tensor:
        """Cuts (n 8) of the images `index` (n), float32 (n h w 3) in 0..255, not rounded."""
        rows, columns = cuts[:, :4], cuts[:, 4:8]
        spans = _span(rows, size[0]), _span(columns, size[1])
        seen = self._windows(index, *spans).float()
        by_rows = torch.bmm(self._weights(rows, spans[0], size[0]), seen.flatten(2))
        turned = by_rows.unflatten(2, (-1, 3)).transpose(1, 2).flatten(2)
        by_columns = torch.bmm(self._weights(columns, spans[1], size[1]), turned)
        return by_columns.unflatten(2, (-1, 3)).transpose(1, 2).contiguous()

    def _sent(self, numbers: NDArray[Any]) -> Tensor:
        """Numbers on the device. CUDA copies such a few at once; to wait for its earlier work would leave it idle."""
        return torch.from_numpy(numbers).to(self.device, non_blocking=True)

    def _windows(self, index: NDArray[np.int64], rows: _Span, columns: _Span) -> Tensor:
        """The pixels of both spans, uint8 (n h w 3); beyond an image's end its last ones, which nothing weighs."""
        sizes = self._sizes[index]
        facts = np.stack([self._first[index], *sizes.T, rows.first, columns.first])
        first, height, width, top, left = self._sent(facts)[..., None]
        down = (top + torch.arange(rows.count, device=self.device)).minimum(height - 1)
        right = (left + torch.arange(columns.count, device=self.device)).minimum(width - 1)
        return self.pixels[(first + down * width)[:, :, None] + right[:, None, :]]

    def _weights(self, axis: Numbers, span: _Span, n_out: int) -> Tensor:
        """Weight of each pixel of the span in each output pixel, float32 (n out span)."""
        numbers = np.concatenate([axis, span.first[:, None]], axis=1).astype(np.float32)
        start, step, low, high, first = self._sent(numbers).T[..., None]
        centre = start + (torch.arange(n_out, device=self.device) + 0.5) * step
        place = first + torch.arange(span.count, device=self.device) + 0.5
        away = (place[:, None, :] - centre[:, :, None]).abs()
        weight = (1 - away / step.abs().clamp(min=1)[..., None]).clamp(min=0)
        weight = weight * ((place > low) & (place < high))[:, None, :]
        inside = (centre > low) & (centre < high)
        return weight / weight.sum(-1, keepdim=True).clamp(min=1e-6) * inside[..., None]


def _span(axis: Numbers, n_out: int) -> _Span:
    start, step, low, high = axis.T
    ends = np.sort([start, start + n_out * step], axis=0)
    reach = np.maximum(np.abs(step), 1)
    first = np.maximum(np.floor(ends[0] - reach), low).astype(np.int64)
    last = np.minimum(np.ceil(ends[1] + reach), high).astype(np.int64)
    return _Span(first, int((last - first).max()))
