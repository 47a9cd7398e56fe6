"""Permutation tests: no assumption on the shape of the distribution, and exact where the samples are small.

With few seeds their p-values cannot be small: `n` pairs give no less than 2 / 2^n (0.0625 for five).
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import permutation_test

EXACT_LIMIT = 20_000
"""Largest number of permutations that are all counted; beyond it, this many are drawn."""
_SEED = 0
# Sums of the same numbers in another order differ in their last bits; they are ties all the same.
_DECIMALS = 9


def sign_flip_p(differences: Sequence[float]) -> float:
    """Two-sided p-value of paired differences under exchange of the sides; NaN for fewer than two pairs."""
    if len(differences) < 2:
        return math.nan
    exact = len(differences) <= math.log2(EXACT_LIMIT)
    return _p_value((np.asarray(differences),), _mean, "samples", exact)


def exchange_p(left: Sequence[float], right: Sequence[float]) -> float:
    """Two-sided p-value of independent samples under exchange of their members; NaN if a side has fewer than two."""
    if min(len(left), len(right)) < 2:
        return math.nan
    exact = math.comb(len(left) + len(right), len(left)) <= EXACT_LIMIT
    return _p_value((np.asarray(left), np.asarray(right)), _mean_difference, "independent", exact)


def _p_value(data: tuple[NDArray[np.float64], ...], statistic: object, kind: str, exact: bool) -> float:
    resamples = np.inf if exact else EXACT_LIMIT
    rng = np.random.default_rng(_SEED)
    return float(permutation_test(data, statistic, permutation_type=kind, n_resamples=resamples, rng=rng).pvalue)


def _mean(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    return np.mean(values, axis=axis).round(_DECIMALS)


def _mean_difference(left: NDArray[np.float64], right: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    return (np.mean(left, axis=axis) - np.mean(right, axis=axis)).round(_DECIMALS)
