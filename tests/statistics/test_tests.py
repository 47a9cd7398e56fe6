"""Tests and intervals against SciPy, statsmodels, or by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import jaccard_score
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower, TTestPower
from statsmodels.stats.weightstats import ttost_ind, ttost_paired

from borderlab.statistics.bootstrap import accuracy_pct, image_bootstrap, miou_pct
from borderlab.statistics.differences import paired_difference, welch_difference
from borderlab.statistics.equivalence import equivalence_p
from borderlab.statistics.families import holm
from borderlab.statistics.permutation import exchange_p, sign_flip_p
from borderlab.statistics.power import MOST_RUNS, minimum_detectable_effect, power, runs_needed

LEFT, RIGHT = [75.1, 74.8, 75.6, 75.3], [74.9, 74.1, 74.7, 75.0, 74.2]
samples = st.lists(st.floats(0, 100).map(lambda value: round(value, 2)), min_size=2, max_size=7)


@pytest.mark.slow
@given(samples, samples)
def test_welch_equals_scipy(left: list[float], right: list[float]) -> None:
    found = welch_difference(left, right)
    if np.ptp(left) + np.ptp(right) < 0.01:
        assert found.se < 0.01
        return
    expected = stats.ttest_ind(left, right, equal_var=False)
    assert found.df == pytest.approx(expected.df)
    assert found.p_value() == pytest.approx(expected.pvalue, abs=1e-9)
    assert found.interval() == pytest.approx(tuple(expected.confidence_interval(0.95)), abs=1e-6)


def test_one_sided_p_values_equal_scipys() -> None:
    differences = [0.3, 0.9, -0.1, 0.6]
    found = paired_difference(differences)
    for null in (0.0, 0.2, 1.5):
        assert found.above(null) == pytest.approx(stats.ttest_1samp(differences, null, alternative="greater").pvalue)
        assert found.below(null) == pytest.approx(stats.ttest_1samp(differences, null, alternative="less").pvalue)


def test_equal_differences_leave_no_doubt() -> None:
    found = paired_difference([0.5, 0.5, 0.5])
    assert found.interval() == (0.5, 0.5)
    assert (found.above(0.4), found.above(0.5), found.below(0.6)) == (0.0, 1.0, 0.0)


def test_without_a_spread_no_test_says_anything() -> None:
    for found in (paired_difference([1.0]), welch_difference([1.0], [2.0, 3.0])):
        assert math.isnan(found.p_value())
        assert math.isnan(equivalence_p(found, 1.0))
        assert math.isnan(found.low)


def test_equivalence_equals_statsmodels() -> None:
    paired = ttost_paired(np.array(LEFT), np.array(RIGHT[:4]), -1.2, 1.2)[0]
    differences = (np.array(LEFT) - np.array(RIGHT[:4])).tolist()
    assert equivalence_p(paired_difference(differences), 1.2) == pytest.approx(paired)
    independent = ttost_ind(LEFT, RIGHT, -1.2, 1.2, usevar="unequal")[0]
    assert equivalence_p(welch_difference(LEFT, RIGHT), 1.2) == pytest.approx(independent)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.6]) == pytest.approx([1.0, 1.0])
    found = holm([math.nan, 0.03, math.nan])
    assert math.isnan(found[0])
    assert found[1] == pytest.approx(0.03)
    assert holm([]) == []


def test_sign_flips_by_hand() -> None:
    # All five differences positive: 2 of 32 sign patterns are as extreme.
    assert sign_flip_p([0.1, 0.2, 0.3, 0.4, 0.5]) == pytest.approx(2 / 32)
    assert sign_flip_p([1.0, -1.0]) == pytest.approx(1.0)
    assert math.isnan(sign_flip_p([1.0]))


def test_exchange_by_hand() -> None:
    # Two wholly separate groups of 4 and 5: 2 of 126 splits, counted on both sides, are as extreme.
    assert exchange_p([9, 10, 11, 12], [1, 2, 3, 4, 5]) == pytest.approx(2 / 126)
    assert math.isnan(exchange_p([1.0], [1.0, 2.0]))


def test_ties_count_as_ties_whatever_the_order_of_their_sums() -> None:
    # The published runs of ResNet-50 with reflection and with zeros, in thousandths of a point.
    left, right = [76188, 76240, 76380, 75884, 76182], [76240, 76074, 75988, 76136, 76224]
    pooled, least = [*left, *right], abs(sum(left) - sum(right))
    splits = [abs(2 * sum(chosen) - sum(pooled)) >= least for chosen in itertools.combinations(pooled, 5)]
    found = exchange_p([value / 1000 for value in left], [value / 1000 for value in right])
    assert found == pytest.approx(sum(splits) / len(splits))


def test_many_pairs_are_drawn_and_repeat() -> None:
    differences = np.random.default_rng(3).normal(0.4, 1, 40).tolist()
    assert sign_flip_p(differences) == sign_flip_p(differences)
    assert sign_flip_p(differences) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.02)


@pytest.mark.parametrize(("effect", "n", "alpha"), [(1.0, 5, 0.05), (0.4, 12, 0.01), (3.0, 2, 0.05)])
def test_power_equals_statsmodels(effect: float, n: int, alpha: float) -> None:
    assert power(effect, n, alpha=alpha) == pytest.approx(TTestPower().power(effect, n, alpha))
    expected = TTestIndPower().power(effect, n, alpha)
    assert power(effect, n, paired=False, alpha=alpha) == pytest.approx(expected)


@pytest.mark.parametrize("p_values", [[0.2], [0.01, 0.02, 0.2], [0.04, 0.011, 0.9, 0.011]])
def test_holm_equals_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_power_without_an_effect_is_the_size() -> None:
    assert power(0.0, 7) == pytest.approx(0.05)
    assert power(0.0, 7, paired=False, alpha=0.01) == pytest.approx(0.01)


@pytest.mark.parametrize("paired", [True, False])
def test_needs_and_detectable_effect_invert_each_other(paired: bool) -> None:
    effect = minimum_detectable_effect(2.0, 9, paired=paired)
    assert power(effect / 2.0, 9, paired=paired) == pytest.approx(0.8)
    assert runs_needed(effect * 1.0001, 2.0, paired=paired) == 9
    assert runs_needed(effect * 0.9, 2.0, paired=paired) > 9


def test_needs_at_their_ends() -> None:
    assert runs_needed(1.0, 0.0) == 2
    assert runs_needed(1e-6, 1.0) is None
    assert (runs_needed(0.03, 1.0) or 0) < MOST_RUNS
    assert math.isnan(minimum_detectable_effect(1.0, 1))


def test_miou_equals_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    target, pred = rng.integers(0, 4, 300), rng.integers(0, 4, 300)
    # Two classes more than occur: they must not count.
    names = range(6)
    counts = [[np.sum((target == k) & (pred == k)), np.sum(target == k), np.sum(pred == k)] for k in names]
    assert miou_pct(np.array(counts, dtype=float)) == pytest.approx(100 * jaccard_score(target, pred, average="macro"))


def test_bootstrap_of_accuracy_equals_the_normal_interval() -> None:
    rng = np.random.default_rng(1)
    right = rng.random((1, 900)) < 0.7
    left = np.where(rng.random((1, 900)) < 0.1, ~right, right)
    stacked = [np.stack([side, np.ones_like(side)], axis=-1).astype(np.int64) for side in (left, right)]
    low, high = image_bootstrap(*stacked, accuracy_pct)
    differences = 100.0 * (left.astype(float) - right)[0]
    half = 1.96 * differences.std(ddof=1) / 30
    assert (low, high) == pytest.approx((differences.mean() - half, differences.mean() + half), abs=0.25)


def test_bootstrap_refuses_other_images() -> None:
    with pytest.raises(ValueError, match="the same seeds and images"):
        image_bootstrap(np.zeros((1, 3, 2), int), np.zeros((1, 4, 2), int), accuracy_pct)


def test_bootstrap_pairs_images_of_both_sides() -> None:
    rng = np.random.default_rng(2)
    hits, missed, extra = rng.integers(1, 50, (3, 2, 30, 4))
    left, right = (np.stack([own, own + missed, own + extra], axis=-1) for own in (hits + 40, hits))
    low, high = image_bootstrap(left, right, miou_pct)
    assert 0 < low < high


def test_bootstrap_without_anything_to_draw() -> None:
    rng = np.random.default_rng(3)
    right = np.stack([rng.random((2, 40)) < 0.5, np.ones((2, 40))], axis=-1).astype(np.int64)
    assert image_bootstrap(right, right, accuracy_pct) == (0.0, 0.0)
    assert all(math.isnan(end) for end in image_bootstrap(right[:, :1], right[:, :1], accuracy_pct))


def test_bootstrap_beyond_the_limit_of_leaving_out_goes_on_smoothly(monkeypatch) -> None:
    rng = np.random.default_rng(4)
    sides = [np.stack([rng.random((1, 800)) < share, np.ones((1, 800))], axis=-1) for share in (0.8, 0.7)]
    left, right = (side.astype(np.int64) for side in sides)
    exact = image_bootstrap(left, right, accuracy_pct)
    monkeypatch.setattr("borderlab.statistics.bootstrap.MOST_LEFT_OUT", 799)
    quick = image_bootstrap(left, right, accuracy_pct)
    assert quick != exact
    assert quick == pytest.approx(exact, abs=0.15 * (exact[1] - exact[0]))
