"""Verdicts: the rule in its corners, and the published runs of Liu et al. tested again."""

import math

import pandas as pd
import pytest

from borderlab.papers.claim_rows import claim_rows
from borderlab.papers.judging import judge
from borderlab.papers.schema import Claim
from borderlab.report.schemas import SCHEMAS
from borderlab.statistics.differences import Difference, paired_difference
from borderlab.statistics.power import MOST_RUNS, power


def claim(kind: str, margin: float = 1.0) -> Claim:
    return Claim(
        id="made_up",
        text="",
        place="",
        verified="no",
        kind=kind,
        margin_points=margin,
        left={},
        right={},
        paper_setting={},
    )


def case(mean: float, se: float = 0.1, n: int = 30) -> Difference:
    return Difference(n, mean, se * n**0.5, se, n - 1)


@pytest.mark.parametrize(
    ("kind", "mean", "verdict"),
    [
        ("gain", 2.0, "shown"),
        ("gain", 0.9, "shown"),  # above 0, and may reach the margin
        ("gain", 0.5, "excluded"),  # above 0, and wholly below the margin
        ("gain", -2.0, "excluded"),
        ("no_gain", -2.0, "shown"),
        ("no_gain", 0.5, "shown"),
        ("no_gain", 0.9, "excluded"),
        ("no_gain", 2.0, "excluded"),
        ("equivalent", 0.0, "shown"),
        ("equivalent", 0.5, "shown"),
        ("equivalent", 1.0, "neither"),
        ("equivalent", -2.0, "excluded"),
    ],
)
def test_rule_with_a_narrow_interval(kind: str, mean: float, verdict: str) -> None:
    (found,) = judge(claim(kind), [case(mean)])
    assert (found.shown, found.excluded) == (verdict == "shown", verdict == "excluded")
    assert (found.more_runs is None) == (verdict != "neither")


@pytest.mark.parametrize("values", [[0.0, 0.0], [2.0, 2.0, 2.0], [0.1 + 0.2, 0.3, 0.3]])
@pytest.mark.parametrize("kind", ["gain", "no_gain", "equivalent"])
def test_differences_that_are_all_the_same_decide_nothing(kind: str, values: list[float]) -> None:
    (found,) = judge(claim(kind), [paired_difference(values)])
    assert (found.shown, found.excluded, found.more_runs) == (False, False, None)
    assert math.isnan(found.p_for)
    assert math.isnan(found.detectable)


@pytest.mark.parametrize("kind", ["gain", "no_gain", "equivalent"])
def test_a_wide_interval_decides_nothing_and_says_what_would(kind: str) -> None:
    wide = case(0.2, se=2.0, n=4)
    (found,) = judge(claim(kind), [wide])
    assert not found.shown
    assert not found.excluded
    assert found.more_runs is not None
    # 0.8 points from the margin are the nearest thing to tell apart.
    assert power(0.8 / wide.sd, wide.n + found.more_runs) >= 0.8
    assert power(0.8 / wide.sd, wide.n + found.more_runs - 1) < 0.8


def test_without_a_spread_there_is_neither_verdict_nor_forecast() -> None:
    (found,) = judge(claim("gain"), [paired_difference([3.0])])
    assert (found.shown, found.excluded, found.more_runs) == (False, False, None)
    assert math.isnan(found.p_for)


def test_hopeless_cases_stop_at_the_largest_number() -> None:
    (found,) = judge(claim("equivalent"), [case(1.0 - 1e-7, se=1.0, n=4)])
    assert found.more_runs == MOST_RUNS - 4


def test_more_cases_make_each_of_them_harder_to_show() -> None:
    one = case(0.9, se=0.4)
    assert judge(claim("gain"), [one])[0].shown
    assert not judge(claim("gain"), [one] * 3)[0].shown


def test_no_case_has_no_judgement() -> None:
    assert judge(claim("gain"), []) == []


def published(papers, name: str) -> dict[str, dict[str, object]]:
    """Rows on published runs, without any experiment."""
    empty = {table: pd.DataFrame(columns=list(SCHEMAS[table].columns)) for table in ("runs", "cross_test")}
    rows = [row for row in claim_rows(papers.values(), empty, "smoke") if row["claim"] == name]
    assert [row["verdict"] for row in rows if row["evidence"] == "experiment"] == ["not run"]
    return {row["case"]: row for row in rows if row["evidence"] == "published"}


def test_four_of_five_published_gains_survive(papers) -> None:
    found = published(papers, "partial_gains")
    verdicts = {case: row["verdict"] for case, row in found.items()}
    supported = dict.fromkeys(["vgg19BN", "resnet50", "resnet101", "resnet152"], "supported")
    assert verdicts == {**supported, "vgg16BN": "inconclusive"}
    # Welch's p-values as computed for the facts of the paper, from the same runs.
    expected = {"vgg16BN": 0.0790, "vgg19BN": 0.0027, "resnet50": 0.0001, "resnet101": 0.0235, "resnet152": 0.0160}
    assert {case: row["p_value"] for case, row in found.items()} == pytest.approx(expected, abs=6e-5)
    # Wholly separate groups of five: 2 of 252 splits.
    assert found["resnet50"]["p_exact"] == pytest.approx(2 / 252)
    assert all(row["scale"] == "published runs" for row in found.values())


def test_single_published_numbers_prove_nothing(papers) -> None:
    found = published(papers, "relaxation_gains")
    assert found["±0"]["effect_points"] == pytest.approx(80.85 - 79.46)
    assert found["±0"]["verdict"] == "inconclusive"
    assert found["±0"]["more_runs"] is None
