"""Intervals over images of differences between runs: the counts of each image that evaluations leave, resampled.

Images of one recording are drawn together: neighbouring frames of a video are nearly one and the same draw, and to take
them as many would make intervals several times too narrow.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from borderlab.errors import RunError
from borderlab.evaluation.image_counts import IMAGES_FILE, ImageCounts, Recordings, read_image_counts
from borderlab.report.artifacts import TabulationInput
from borderlab.statistics.bootstrap import Metric, accuracy_pct, image_bootstrap, miou_pct

Pairs = Sequence[tuple[str, str]]
ImageInterval = Callable[[Pairs, str], tuple[float, float]]
"""From pairs of run names and a metric's name to the ends of the interval."""

_METRICS: dict[str, Metric] = {"miou_pct": miou_pct, "top1_pct": accuracy_pct}
_KEPT_RUNS = 64
# With fewer, a draw too often holds one recording alone: there is no interval then.
FEWEST_RECORDINGS = 5


def image_intervals(inputs: TabulationInput) -> ImageInterval:
    """A function that gives the interval of the mean difference between the runs of some pairs, left minus right.

    Its ends are NaN for fewer than `FEWEST_RECORDINGS`. It raises `RunError` if an evaluation has no counts, or those
    of two runs are of different images.
    """
    paths = {run.name: run.evaluation_folder / IMAGES_FILE for run in inputs.runs}

    @lru_cache(maxsize=_KEPT_RUNS)
    def counts_of(run: str) -> ImageCounts:
        return by_recording(*read_image_counts(paths[run]))

    def interval(pairs: Pairs, metric: str) -> tuple[float, float]:
        first = pairs[0][0]
        for run in (run for pair in pairs for run in pair):
            if counts_of(run).shape != counts_of(first).shape:
                raise RunError(f"{paths[run]}: counts other images than {paths[first]}; evaluate both runs again")
        if len(counts_of(first)) < FEWEST_RECORDINGS:
            return math.nan, math.nan
        left, right = (np.stack([counts_of(pair[side]) for pair in pairs]) for side in (0, 1))
        return image_bootstrap(left, right, _METRICS[metric])

    return interval


def by_recording(counts: ImageCounts, recordings: Recordings) -> ImageCounts:
    """Sums of `counts` (n ...) over the images of each recording (r ...)."""
    order = np.argsort(recordings, kind="stable")
    starts = np.unique(recordings[order], return_index=True)[1]
    return np.add.reduceat(counts[order], starts, axis=0)
