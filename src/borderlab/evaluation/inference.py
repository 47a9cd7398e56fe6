"""Prediction by several views of an image: scales, mirror images, sliding windows; the mean of their logits decides.

Source: Zhu et al. 2019, section 4.1 (three scales, flip, windows that overlap by a third, mean of logits).

    scale 1    |--------|            windows are laid out in the image's own pixels, by scale; each is cut out,
                    |--------|       resized to the window that the network sees, and its logits are resized back
    scale 1/2  |----------------|

A pixel's logits are the mean over scales, of the mean over the windows that cover it, of the mean over both mirror
images. Windows are visited from top to bottom: rows that no later window reaches are decided and forgotten, and images
wider than `STRIP_WINDOWS` windows are done in strips. What is held therefore depends on the window alone, never on the
image.

Differs from the reference: windows are cut out before they are resized, not after, so a scaled image never exists;
within half a pixel of a window's edge the interpolation sees the window alone. And the network always sees `window`
pixels: at scale 2 a window spans half of them in the image, where the published code enlarges its window along with the
image, above scale 1, and spans all of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from borderlab.data.augment import resize_image
from borderlab.data.batch import Normalisation
from borderlab.spec import EvaluationSpec, Precision
from borderlab.training.autocasting import autocast

STRIP_WINDOWS = 4

Pixels = NDArray[np.uint8]
Starts = tuple[int, ...]


@dataclass(frozen=True)
class View:
    """One window of one scale: where it lies in the image, and how large the network sees it, in pixels."""

    top: int
    left: int
    height: int
    width: int
    seen: tuple[int, int]


@dataclass(frozen=True)
class Grid:
    """The windows of one scale."""

    rows: Starts
    columns: Starts
    height: int
    width: int
    scale: float

    def views(self, left: int, right: int) -> Iterator[View]:
        """Windows that reach into columns left..right-1, from top to bottom."""
        seen = max(1, round(self.height * self.scale)), max(1, round(self.width * self.scale))
        for top in self.rows:
            for start in self.columns:
                if start < right and start + self.width > left:
                    yield View(top, start, self.height, self.width, seen)

    def shares(self, view: View) -> Float[Tensor, "h w"]:
        """One over the number of this scale's windows that cover each pixel of `view`."""
        rows = _covered(self.rows, self.height, view.top, view.top + view.height)
        columns = _covered(self.columns, self.width, view.left, view.left + view.width)
        return 1.0 / (rows[:, None] * columns)


@dataclass(frozen=True)
class Inference:
    """A network and how it looks at an image."""

    model: nn.Module
    normalisation: Normalisation
    spec: EvaluationSpec
    n_classes: int
    device: torch.device
    precision: Precision

    @torch.no_grad()
    def predict(self, image: Pixels) -> Pixels:
        """Predicted train ids (h w) of an image (h w 3)."""
        height, width = image.shape[:2]
        grids = [self._grid((height, width), scale) for scale in self.spec.scales]
        pred = np.empty((height, width), np.uint8)
        strip = width if self.spec.window is None else STRIP_WINDOWS * self.spec.window[1]
        for left in range(0, width, strip):
            right = min(left + strip, width)
            self._predict_strip(image, grids, left, right, pred[:, left:right])
        return pred

    def _grid(self, size: tuple[int, int], scale: float) -> Grid:
        window = size if self.spec.window is None else self.spec.window
        limit = (1, 1) if self.spec.window is None else (scale, scale)
        height, width = (min(side, round(seen / by)) for side, seen, by in zip(size, window, limit, strict=True))
        rows = window_starts(size[0], height, self.spec.overlap)
        return Grid(rows, window_starts(size[1], width, self.spec.overlap), height, width, scale)

    def _predict_strip(self, image: Pixels, grids: Sequence[Grid], left: int, right: int, pred: Pixels) -> None:
        """Fill `pred`, the columns left..right-1 of the prediction."""
        depth = max(grid.height for grid in grids)
        decided = 0
        # Row y of the image lies in row y % depth: rows that are decided make room for those that follow.
        sums = torch.zeros(self.n_classes, depth, right - left, device=self.device)
        views = [(view, grid) for grid in grids for view in grid.views(left, right)]
        for view, grid in sorted(views, key=lambda pair: (pair[0].top, pair[0].left)):
            decided = _decide(sums, decided, view.top, pred)
            logits = self._logits(image, view) * grid.shares(view).to(self.device)
            first, last = max(view.left, left), min(view.left + view.width, right)
            part = logits[:, :, first - view.left : last - view.left]
            for rows in _wrapped(view.top, view.top + view.height, depth):
                sums[:, rows.start % depth : rows.start % depth + len(rows), first - left : last - left] += part[
                    :, rows.start - view.top : rows.stop - view.top
                ]
        _decide(sums, decided, len(image), pred)

    def _logits(self, image: Pixels, view: View) -> Float[Tensor, "k h w"]:
        """Mean logits of the mirror images of a view, at the view's size in the image."""
        pixels = image[view.top : view.top + view.height, view.left : view.left + view.width]
        seen = np.ascontiguousarray(resize_image(pixels, view.seen))
        batch = self.normalisation(torch.from_numpy(seen[None].copy()).to(self.device))
        logits = self._network(batch)
        if self.spec.flip:
            logits = (logits + self._network(batch.flip(3)).flip(3)) / 2
        size = (view.height, view.width)
        return F.interpolate(logits, size=size, mode="bilinear", align_corners=False)[0]

    def _network(self, batch: Float[Tensor, "1 3 h w"]) -> Float[Tensor, "1 k h w"]:
        with autocast(self.device, self.precision):
            logits: Tensor = self.model(batch)
        return logits.float()


def window_starts(side: int, window: int, overlap: float) -> Starts:
    """Where windows begin: the fewest that overlap by at least `overlap`, evenly spread from one end to the other."""
    room = side - window
    step = max(1, int(window * (1 - overlap)))
    n = -(-room // step) + 1
    return tuple(index * room // (n - 1) for index in range(n)) if n > 1 else (0,)


def _covered(starts: Starts, window: int, first: int, last: int) -> Float[Tensor, " length"]:
    """Number of windows over each of the pixels first..last-1 of a side."""
    counts = torch.zeros(last - first)
    for start in starts:
        counts[max(start - first, 0) : max(start + window - first, 0)] += 1
    return counts


def _wrapped(first: int, last: int, depth: int) -> Iterator[range]:
    """The rows first..last-1 in stretches that do not pass a multiple of `depth`."""
    while first < last:
        stop = min(last, (first // depth + 1) * depth)
        yield range(first, stop)
        first = stop


def _decide(sums: Float[Tensor, "k depth w"], first: int, last: int, pred: Pixels) -> int:
    """Write the best class of the rows first..last-1 and clear them; returns the first row that is still open."""
    depth = sums.shape[1]
    for rows in _wrapped(first, last, depth):
        part = sums[:, rows.start % depth : rows.start % depth + len(rows)]
        # max() is faster than argmax() over a strided class axis.
        pred[rows.start : rows.stop] = part.max(dim=0).indices.to(torch.uint8).cpu().numpy()
        part.zero_()
    return max(first, last)
