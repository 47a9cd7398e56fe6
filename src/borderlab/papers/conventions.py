"""Which standard deviation a paper printed, found out from its runs."""

import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from borderlab.papers.schema import unit_of_last_place

CONVENTIONS = {"n - 1": -1, "n": 0, "n + 1": 1}
"""What is added to n before the sum of squares is divided by it: the sample's, the population's, and what a sheet's
formula for the population gives if the cell of the average is inside its range."""


def standard_deviation(runs: Sequence[Decimal], convention: str) -> float:
    """Standard deviation of `runs` by one of `CONVENTIONS`, with full precision."""
    values = np.asarray(runs, dtype=np.float64)
    return math.sqrt(float(((values - values.mean()) ** 2).sum()) / (len(values) + CONVENTIONS[convention]))


def printed_convention(runs: Sequence[Decimal], printed: Decimal | None) -> str:
    """Names of the conventions that give the printed value at its precision, `none of them`, or empty if unknown."""
    if len(runs) < 2 or printed is None:
        return ""
    half = 0.5 * float(unit_of_last_place(printed)) + 1e-9
    fitting = [name for name in CONVENTIONS if abs(standard_deviation(runs, name) - float(printed)) <= half]
    return " or ".join(fitting) or "none of them"
