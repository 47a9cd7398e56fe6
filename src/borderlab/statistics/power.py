"""How small an effect a number of seeds can show, and how many seeds an effect needs. t tests, two-sided."""

import math

from scipy.optimize import brentq
from scipy.stats import nct
from scipy.stats import t as student_t

ALPHA = 0.05
POWER = 0.8
MOST_RUNS = 10_000
"""Larger needs are not told apart."""
_LARGEST_EFFECT = 1e3


def power(effect_in_sd: float, n: int, *, paired: bool = True, alpha: float = ALPHA) -> float:
    """Probability that a test finds a true effect.

    Args:
        effect_in_sd: effect over the standard deviation of paired differences, or of the runs of independent sides.
        n: pairs, or runs of each side; at least 2.
        paired: whether runs are paired.
        alpha: size of the two-sided test.
    """
    df = n - 1 if paired else 2 * (n - 1)
    shift = effect_in_sd * math.sqrt(n if paired else n / 2)
    critical = student_t.isf(alpha / 2, df)
    # By symmetry; SciPy's cdf of the far tail is NaN for some shifts.
    return float(nct.sf(critical, df, shift) + nct.sf(critical, df, -shift))


def minimum_detectable_effect(sd: float, n: int, *, paired: bool = True, alpha: float = ALPHA) -> float:
    """Smallest true effect that a test finds in 80 of 100 cases, in the units of `sd`; NaN for fewer than two runs."""
    if n < 2 or sd != sd:
        return math.nan
    return sd * float(brentq(lambda effect: power(effect, n, paired=paired, alpha=alpha) - POWER, 0, _LARGEST_EFFECT))


def runs_needed(effect: float, sd: float, *, paired: bool = True, alpha: float = ALPHA) -> int | None:
    """Pairs, or runs of each side, that find `effect` in 80 of 100 cases; None if `MOST_RUNS` are too few."""
    if sd == 0:
        return 2
    size = abs(effect) / sd
    if power(size, MOST_RUNS, paired=paired, alpha=alpha) < POWER:
        return None
    low, high = 2, MOST_RUNS
    while low < high:
        middle = (low + high) // 2
        if power(size, middle, paired=paired, alpha=alpha) >= POWER:
            high = middle
        else:
            low = middle + 1
    return low
