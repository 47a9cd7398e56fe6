"""Verdicts on the claims of a paper, from its own published runs and from those of an experiment.

A claim names two sides, what is held equal, and the smallest difference that counts (its margin). For each case the
mean difference d has a t interval, and two tests decide, each corrected over the claim's cases by Holm at 5 %:

    gain        shown: d > 0.        excluded: d < margin, even if above 0.
    no_gain     shown: d < margin.   excluded: d > 0 that may reach the margin.
    equivalent  shown: |d| < margin (two one-sided tests).   excluded: |d| > margin.

What is neither shown nor excluded is inconclusive. So is a case without a spread: one pair, or pairs whose differences
are all the same, as accuracies of a few hundred images can be; a test would call that certain.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from borderlab.papers.schema import Claim, Kind
from borderlab.statistics.differences import Difference
from borderlab.statistics.equivalence import equivalence_p
from borderlab.statistics.families import holm
from borderlab.statistics.power import ALPHA, MOST_RUNS, minimum_detectable_effect, runs_needed

SMALLEST_SE = 1e-9
"""Standard error, in points, below which differences are the same but for the last bits of a float."""


@dataclass(frozen=True)
class Judgement:
    """What the cases of a claim say; `more_runs` is None where decided, or where the spread is unknown."""

    p_for: float
    p_against: float
    shown: bool
    excluded: bool
    detectable: float
    more_runs: int | None


def judge(claim: Claim, cases: Sequence[Difference]) -> list[Judgement]:
    """One judgement for each case, all of them one family of tests."""
    pairs = [p_values(claim.kind, case, claim.margin_points) for case in cases]
    p_for, p_against = (holm(values) for values in zip(*pairs, strict=True)) if pairs else ([], [])
    tested = sum(map(_has_spread, cases))
    return [
        _judgement(claim, case, own, against, max(tested, 1))
        for case, own, against in zip(cases, p_for, p_against, strict=True)
    ]


def p_values(kind: Kind, difference: Difference, margin: float) -> tuple[float, float]:
    """Two-sided p-values for and against a claim; NaN without a spread."""
    if not _has_spread(difference):
        return math.nan, math.nan
    larger = _doubled(difference.above(0))
    smaller = _doubled(difference.below(margin))
    if kind == "gain":
        return larger, smaller
    if kind == "no_gain":
        return smaller, larger
    beyond = min(difference.above(margin), difference.below(-margin))
    return equivalence_p(difference, margin), _doubled(beyond)


def _judgement(claim: Claim, case: Difference, p_for: float, p_against: float, family: int) -> Judgement:
    shown, excluded = p_for < ALPHA, p_against < ALPHA
    if shown and excluded:
        # Above 0 and below the margin: a difference that does not count.
        shown, excluded = claim.kind != "gain", claim.kind == "gain"
    known = _has_spread(case)
    detectable = minimum_detectable_effect(case.sd, case.n, paired=case.paired) if known else math.nan
    more = None if shown or excluded else _more_runs(claim, case, ALPHA / family)
    return Judgement(p_for, p_against, shown, excluded, detectable, more)


def _more_runs(claim: Claim, case: Difference, alpha: float) -> int | None:
    if not _has_spread(case):
        return None
    needs = [runs_needed(gap, case.sd, paired=case.paired, alpha=alpha) for gap in _gaps(claim, case.mean)]
    needed = min((need for need in needs if need is not None), default=MOST_RUNS)
    return max(needed - case.n, 1)


def _gaps(claim: Claim, effect: float) -> Iterator[float]:
    """Distances between the effect and what it would have to be told apart from."""
    margin = claim.margin_points
    if claim.kind == "equivalent":
        yield abs(margin - abs(effect))
        return
    if effect > 0:
        yield effect
    if effect < margin:
        yield margin - effect


def _has_spread(case: Difference) -> bool:
    return case.se > SMALLEST_SE


def _doubled(p_value: float) -> float:
    return p_value if math.isnan(p_value) else min(1.0, 2 * p_value)
