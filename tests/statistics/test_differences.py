"""Spread and paired differences against SciPy and NumPy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from borderlab.statistics.differences import paired_difference, spread

percent = st.floats(0, 100).map(lambda value: round(value, 3))


def test_spread_of_three_seeds_by_hand() -> None:
    found = spread([1.0, 2.0, 6.0])
    assert (found.n, found.mean, found.low, found.high) == (3, 3.0, 1.0, 6.0)
    assert found.sd == pytest.approx(math.sqrt((4 + 1 + 9) / 2))


def test_one_seed_has_no_spread() -> None:
    assert math.isnan(spread([50.0]).sd)


def test_no_pair_and_one_pair_have_no_interval() -> None:
    assert paired_difference([]).n == 0
    assert math.isnan(paired_difference([]).mean)
    one = paired_difference([0.5])
    assert (one.n, one.mean) == (1, 0.5)
    assert math.isnan(one.low)
    assert math.isnan(one.high)


@given(st.lists(st.tuples(percent, percent), min_size=2, max_size=8))
def test_interval_equals_scipys_paired_t_interval(pairs: list[tuple[float, float]]) -> None:
    results, baseline = np.array(pairs).T
    found = paired_difference((results - baseline).tolist())
    if np.ptp(results - baseline) < 1e-9:
        assert found.high - found.low < 1e-6
        return
    expected = stats.ttest_rel(results, baseline).confidence_interval(0.95)
    assert found.mean == pytest.approx(np.mean(results - baseline), abs=1e-9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)
