"""Spread over seeds, and paired differences between two settings that share seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student_t

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Spread:
    """Results over seeds; `sd` (with n - 1) is NaN for one seed."""

    n: int
    mean: float
    sd: float
    low: float
    high: float


@dataclass(frozen=True)
class PairedDifference:
    """Mean difference over `n` pairs with its t interval, which is NaN for fewer than two pairs."""

    n: int
    mean: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Mean, standard deviation and range of at least one value."""
    array = np.asarray(values, dtype=np.float64)
    sd = float(array.std(ddof=1)) if array.size > 1 else math.nan
    return Spread(array.size, float(array.mean()), sd, float(array.min()), float(array.max()))


def paired_difference(differences: Sequence[float], confidence: float = CONFIDENCE) -> PairedDifference:
    """Mean of paired differences, and the interval mean ± t(n - 1) sd / sqrt(n).

    Args:
        differences: one difference for each pair, in percentage points.
        confidence: two-sided coverage of the interval, in (0, 1).
    """
    n = len(differences)
    if n == 0:
        return PairedDifference(0, math.nan, math.nan, math.nan)
    found = spread(differences)
    if n == 1:
        return PairedDifference(1, found.mean, math.nan, math.nan)
    half = float(student_t.ppf(0.5 + confidence / 2, n - 1)) * found.sd / math.sqrt(n)
    return PairedDifference(n, found.mean, found.mean - half, found.mean + half)
