"""Rows of table `claims`: the published runs tested again, and the runs of an experiment."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from borderlab.papers.judging import Judgement, judge
from borderlab.papers.schema import Claim, Paper, PublishedCell, Selector
from borderlab.papers.selection import PAIRED_BY, RUN_COLUMN, Case, cases_of, has
from borderlab.report.paper_schemas import PUBLISHED_SCALE
from borderlab.statistics.differences import Difference, paired_difference, welch_difference
from borderlab.statistics.permutation import exchange_p, sign_flip_p

Row = dict[str, Any]

MEASURES = ("evaluation", "best")
_PAIRED = "mean difference of pairs by {}, t"
_WELCH = "difference of means, Welch's t"


def claim_rows(papers: Iterable[Paper], tables: Mapping[str, pd.DataFrame], scale: str) -> Iterator[Row]:
    """Rows of every claim of every paper.

    Args:
        papers: with their claims.
        tables: `runs` and `cross_test` of the experiment.
        scale: the experiment's.
    """
    for paper in papers:
        for claim in paper.claims:
            own = {"paper": paper.name, **_claim_values(claim)}
            yield from ({**own, **row} for row in _published_rows(paper, claim))
            yield from ({**own, **row} for row in _experiment_rows(claim, tables[claim.results], scale))


def _claim_values(claim: Claim) -> Row:
    return {
        "claim": claim.id,
        "statement": claim.text,
        "place": claim.place,
        "verified": claim.verified,
        "kind": claim.kind,
        "left": _text(claim.left),
        "right": _text(claim.right),
        "margin_points": claim.margin_points,
    }


def _experiment_rows(claim: Claim, frame: pd.DataFrame, scale: str) -> Iterator[Row]:
    own: Row = {"evidence": "experiment", "scale": scale}
    cases = cases_of(frame, claim)
    if not cases:
        yield {**own, **_empty(claim), "verdict": "not run"}
        return
    for measure in MEASURES if claim.results == "runs" else (claim.measure,):
        value = f"{measure}_pct" if claim.results == "runs" else "value_pct"
        values = [case.differences(value, PAIRED_BY[claim.results]) for case in cases]
        found = [paired_difference(each) for each in values]
        exact = [sign_flip_p(each) for each in values]
        words = ("reproduced", "not reproduced")
        judged = zip(cases, _judged_rows(claim, found, exact, words), strict=True)
        for case, row in judged:
            yield {
                **own,
                **_case_values(claim, case, scale),
                "statistic": _PAIRED.format(PAIRED_BY[claim.results]),
                "measure": measure,
                "decides": measure == claim.measure,
                **row,
            }


def _case_values(claim: Claim, case: Case, scale: str) -> Row:
    name = RUN_COLUMN[claim.results]
    return {
        "case": case.label,
        "paper_setting": scale == "paper" and has(case, claim.paper_setting),
        "left_runs": "; ".join(sorted(case.left[name])),
        "right_runs": "; ".join(sorted(case.right[name])),
    }


def _published_rows(paper: Paper, claim: Claim) -> Iterator[Row]:
    pairs = list(_published_pairs(paper, claim))
    found = [_published_difference(left, right) for _, left, right in pairs]
    exact = [exchange_p(_floats(left), _floats(right)) for _, left, right in pairs]
    rows = _judged_rows(claim, found, exact, ("supported", "not supported"))
    for (label, _, _), row in zip(pairs, rows, strict=True):
        yield {
            "evidence": "published",
            "scale": PUBLISHED_SCALE,
            "paper_setting": True,
            "case": label,
            "statistic": _WELCH,
            "measure": claim.measure,
            "decides": True,
            "left_runs": "",
            "right_runs": "",
            **row,
        }


def _published_pairs(paper: Paper, claim: Claim) -> Iterator[tuple[str, PublishedCell, PublishedCell]]:
    """Label, left and right cell of each case; cells without a value make none."""
    sides = claim.published
    if sides is None:
        return
    label: Callable[[PublishedCell], str] = (lambda c: c.row) if sides.axis == "column" else (lambda c: c.column)
    side: Callable[[PublishedCell], str] = (lambda c: c.column) if sides.axis == "column" else (lambda c: c.row)
    cells = [cell for cell in paper.table_by_name[sides.table].cells if cell.published is not None]
    right = {label(cell): cell for cell in cells if side(cell) == sides.right}
    for cell in cells:
        if side(cell) == sides.left and label(cell) in right:
            yield label(cell), cell, right[label(cell)]


def _published_difference(left: PublishedCell, right: PublishedCell) -> Difference:
    if left.runs and right.runs:
        return welch_difference(_floats(left), _floats(right))
    effect = float((left.published or 0) - (right.published or 0))
    # One printed number each: an effect, and nothing to judge it by.
    return Difference(1, effect, math.nan, math.nan, math.nan, paired=False)


def _judged_rows(
    claim: Claim, found: Sequence[Difference], exact: Sequence[float], words: tuple[str, str]
) -> Iterator[Row]:
    for difference, p_exact, judgement in zip(found, exact, judge(claim, found), strict=True):
        yield {
            "n": difference.n,
            "effect_points": difference.mean,
            "low_points": difference.low,
            "high_points": difference.high,
            "p_value": difference.p_value(),
            "p_exact": p_exact,
            "p_for": judgement.p_for,
            "p_against": judgement.p_against,
            "detectable_points": judgement.detectable,
            "more_runs": judgement.more_runs,
            "verdict": _verdict(judgement, words),
        }


def _verdict(judgement: Judgement, words: tuple[str, str]) -> str:
    return words[0] if judgement.shown else words[1] if judgement.excluded else "inconclusive"


def _empty(claim: Claim) -> Row:
    texts = ("case", "statistic", "left_runs", "right_runs")
    return {
        **dict.fromkeys(texts, ""),
        "measure": claim.measure,
        "decides": True,
        "paper_setting": False,
        "n": 0,
        "more_runs": None,
    }


def _floats(cell: PublishedCell) -> list[float]:
    return [float(run) for run in cell.runs]


def _text(selector: Selector) -> str:
    return ", ".join(f"{name} {value}" for name, value in selector.items())
