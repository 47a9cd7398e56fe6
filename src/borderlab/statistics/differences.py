"""Spread over seeds, and mean differences of paired or independent runs with their t intervals."""

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
class Difference:
    """A mean difference between two sides, left minus right.

    `n` counts pairs, or the runs of the smaller of two independent sides. `sd` is that of the paired differences, or
    of one run of independent sides, pooled. `se`, `df` and all that follows from them are NaN where there is no spread
    to judge by.
    """

    n: int
    mean: float
    sd: float
    se: float
    df: float
    paired: bool = True

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Two-sided t interval; NaN without a spread."""
        half = float(student_t.ppf(0.5 + confidence / 2, self.df)) * self.se
        return self.mean - half, self.mean + half

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return self.interval()[0]

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return self.interval()[1]

    def above(self, null: float = 0.0) -> float:
        """One-sided p-value against a true difference of `null` or less; NaN without a spread."""
        if self.se == 0:
            return 0.0 if self.mean > null else 1.0
        return float(student_t.sf((self.mean - null) / self.se, self.df))

    def below(self, null: float = 0.0) -> float:
        """One-sided p-value against a true difference of `null` or more; NaN without a spread."""
        if self.se == 0:
            return 0.0 if self.mean < null else 1.0
        return float(student_t.cdf((self.mean - null) / self.se, self.df))

    def p_value(self) -> float:
        """Two-sided p-value against no difference; NaN without a spread."""
        return min(1.0, 2 * min(self.above(), self.below())) if self.se == self.se else math.nan


def spread(values: Sequence[float]) -> Spread:
    """Mean, standard deviation and range of at least one value."""
    array = np.asarray(values, dtype=np.float64)
    sd = float(array.std(ddof=1)) if array.size > 1 else math.nan
    return Spread(array.size, float(array.mean()), sd, float(array.min()), float(array.max()))


def paired_difference(differences: Sequence[float]) -> Difference:
    """Mean of paired differences, one for each pair; t with n - 1 degrees of freedom."""
    n = len(differences)
    if n == 0:
        return Difference(0, math.nan, math.nan, math.nan, math.nan)
    found = spread(differences)
    return Difference(n, found.mean, found.sd, found.sd / math.sqrt(n), n - 1 if n > 1 else math.nan)


def welch_difference(left: Sequence[float], right: Sequence[float]) -> Difference:
    """Difference of two independent means, whose spreads may differ; Welch's t with Satterthwaite's degrees of freedom.

    Args:
        left: at least one result.
        right: at least one result.
    """
    one, other = spread(left), spread(right)
    variances = one.sd**2 / one.n, other.sd**2 / other.n
    total = sum(variances)
    df = math.nan
    if total > 0:
        df = total**2 / (variances[0] ** 2 / (one.n - 1) + variances[1] ** 2 / (other.n - 1))
    elif total == 0:
        df = float(one.n + other.n - 2)
    sd = math.sqrt((one.sd**2 + other.sd**2) / 2)
    return Difference(min(one.n, other.n), one.mean - other.mean, sd, math.sqrt(total), df, paired=False)
