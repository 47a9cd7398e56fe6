"""Differences over the images of an evaluation: how much of one would another draw of images change?

Images are drawn, both sides together; seeds stay as they are. Such an interval says nothing about other seeds, and an
interval over seeds nothing about other images.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

from borderlab.statistics.differences import CONFIDENCE

RESAMPLES = 2000
_BATCH = 100
_SEED = 0

Counts = NDArray[np.int64]
Metric = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def miou_pct(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """MIoU in percent of confusion matrices (... c c), target first; classes without pixels do not count."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    union = confusion.sum(-1) + confusion.sum(-2) - hits
    present = union > 0
    iou = np.divide(hits, union, out=np.zeros_like(union), where=present)
    return 100.0 * iou.sum(-1) / present.sum(-1)


def accuracy_pct(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of right guesses in percent, from (... 2) numbers of right and of all images."""
    return 100.0 * counts[..., 0] / counts[..., 1]


def image_bootstrap(left: Counts, right: Counts, metric: Metric) -> tuple[float, float]:
    """95 % interval (BCa) of the mean over seeds of left's metric minus right's, over draws of images.

    Args:
        left: counts by seed and image (s n ...), whose sum over images `metric` turns into a result.
        right: the same images for the same seeds.
        metric: `miou_pct` or `accuracy_pct`.

    Returns:
        Low and high end, in percentage points.

    Raises:
        ValueError: if the two sides do not hold the same seeds and images.
    """
    if left.shape != right.shape:
        raise ValueError(f"left holds {left.shape} counts and right {right.shape}: both need the same seeds and images")
    n_images = left.shape[1]

    def statistic(drawn: NDArray[np.int64], axis: int) -> NDArray[np.float64]:
        indices = np.moveaxis(drawn, axis, -1)
        times = _times_drawn(indices.reshape(-1, indices.shape[-1]), n_images)
        differences = _totals(times, left, metric) - _totals(times, right, metric)
        return differences.mean(axis=0).reshape(indices.shape[:-1])

    found = bootstrap(
        (np.arange(n_images),),
        statistic,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=_BATCH,
        confidence_level=CONFIDENCE,
        method="BCa",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return float(found.low), float(found.high)


def _times_drawn(indices: NDArray[np.int64], n_images: int) -> NDArray[np.float64]:
    """How often each draw (r m) holds each image: (r n)."""
    n_draws = len(indices)
    places = indices + n_images * np.arange(n_draws)[:, None]
    return np.bincount(places.ravel(), minlength=n_draws * n_images).reshape(n_draws, n_images).astype(np.float64)


def _totals(times: NDArray[np.float64], counts: Counts, metric: Metric) -> NDArray[np.float64]:
    """The metric of each seed and draw (s r)."""
    shape = counts.shape[2:]
    return np.stack([metric((times @ own.reshape(len(own), -1)).reshape(-1, *shape)) for own in counts])
