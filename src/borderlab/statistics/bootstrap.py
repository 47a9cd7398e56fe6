"""Differences over the images of an evaluation: how much of one would another draw of images change?

Images are drawn, both sides together; seeds stay as they are. Such an interval says nothing about other seeds, and an
interval over seeds nothing about other images.
"""

import math
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import DegenerateDataWarning, bootstrap

from borderlab.statistics.differences import CONFIDENCE

RESAMPLES = 2000
MOST_LEFT_OUT = 2000
_BATCH = 100
_SEED = 0

Counts = NDArray[np.int64]
Metric = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def miou_pct(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """MIoU in percent from (... c 3) pixels by class: hit, in truth, predicted; absent classes do not count."""
    hits = counts[..., 0]
    union = counts[..., 1] + counts[..., 2] - hits
    present = union > 0
    iou = np.divide(hits, union, out=np.zeros_like(union), where=present)
    return 100.0 * iou.sum(-1) / present.sum(-1)


def accuracy_pct(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of right guesses in percent, from (... 2) numbers of right and of all images."""
    return 100.0 * counts[..., 0] / counts[..., 1]


def image_bootstrap(left: Counts, right: Counts, metric: Metric) -> tuple[float, float]:
    """95 % interval of the mean over seeds of left's metric minus right's, over draws of images.

    BCa; percentiles beyond `MOST_LEFT_OUT` images, where the two agree and leaving out each image would take long.

    Args:
        left: counts by seed and image (s n ...), whose sum over images `metric` turns into a result.
        right: the same images for the same seeds.
        metric: `miou_pct` or `accuracy_pct`.

    Returns:
        Low and high end, in percentage points; NaN for fewer than two images.

    Raises:
        ValueError: if the two sides do not hold the same seeds and images.
    """
    if left.shape != right.shape:
        raise ValueError(f"left holds {left.shape} counts and right {right.shape}: both need the same seeds and images")
    n_images = left.shape[1]
    if n_images < 2:
        return math.nan, math.nan
    sides = left.astype(np.float64), right.astype(np.float64)

    def statistic(drawn: NDArray[np.int64], axis: int) -> NDArray[np.float64]:
        indices = np.moveaxis(drawn, axis, -1)
        times = _times_drawn(indices.reshape(-1, indices.shape[-1]), n_images)
        differences = _totals(times, sides[0], metric) - _totals(times, sides[1], metric)
        return differences.mean(axis=0).reshape(indices.shape[:-1])

    def interval(method: str) -> tuple[float, float]:
        found = bootstrap(
            (np.arange(n_images),),
            statistic,
            vectorized=True,
            n_resamples=RESAMPLES,
            batch=_BATCH,
            confidence_level=CONFIDENCE,
            method=method,
            rng=np.random.default_rng(_SEED),
        ).confidence_interval
        return float(found.low), float(found.high)

    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", DegenerateDataWarning)
        ends = interval("BCa" if n_images <= MOST_LEFT_OUT else "percentile")
    # BCa has no answer where no draw changes the difference; the percentiles are that difference.
    return interval("percentile") if math.isnan(ends[0]) else ends


def _times_drawn(indices: NDArray[np.int64], n_images: int) -> NDArray[np.float64]:
    """How often each draw (r m) holds each image: (r n)."""
    n_draws = len(indices)
    places = indices + n_images * np.arange(n_draws)[:, None]
    return np.bincount(places.ravel(), minlength=n_draws * n_images).reshape(n_draws, n_images).astype(np.float64)


def _totals(times: NDArray[np.float64], counts: NDArray[np.float64], metric: Metric) -> NDArray[np.float64]:
    """The metric of each seed and draw (s r)."""
    shape = counts.shape[2:]
    return np.stack([metric((times @ own.reshape(len(own), -1)).reshape(-1, *shape)) for own in counts])
