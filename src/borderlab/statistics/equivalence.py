"""Equivalence: not finding a difference is not finding that there is none."""

from borderlab.statistics.differences import Difference


def equivalence_p(difference: Difference, margin: float) -> float:
    """P-value of two one-sided tests (TOST) against a true difference of at least `margin` in either direction.

    Args:
        difference: with a spread; without one the result is NaN.
        margin: the smallest difference that counts, above 0, in the units of the difference.
    """
    if difference.se != difference.se:
        return difference.se
    return max(difference.above(-margin), difference.below(margin))
