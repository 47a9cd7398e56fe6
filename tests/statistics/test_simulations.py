"""What the intervals and tests promise, counted in simulations with known truth."""

import numpy as np
import pytest

from borderlab.statistics.bootstrap import accuracy_pct, image_bootstrap
from borderlab.statistics.differences import paired_difference, welch_difference
from borderlab.statistics.equivalence import equivalence_p
from borderlab.statistics.families import holm
from borderlab.statistics.permutation import exchange_p, sign_flip_p
from borderlab.statistics.power import power, runs_needed

pytestmark = pytest.mark.slow

TIMES = 2000
# Three standard errors of a share of 5 % in that many simulations.
SLACK = 3 * (0.05 * 0.95 / TIMES) ** 0.5


def draws(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(TIMES, *shape))


@pytest.mark.parametrize("n", [2, 3, 5])
def test_paired_intervals_cover_the_truth(n: int) -> None:
    found = [paired_difference((0.3 + row).tolist()).interval() for row in draws(n, n)]
    assert 0.93 < np.mean([low <= 0.3 <= high for low, high in found]) < 0.97


@pytest.mark.parametrize("ratio", [1.0, 1.5])
def test_welch_intervals_cover_the_truth(ratio: float) -> None:
    found = [welch_difference(row[:5].tolist(), (ratio * row[5:]).tolist()).interval() for row in draws(7, 10)]
    assert 0.93 < np.mean([low <= 0 <= high for low, high in found]) < 0.97


def test_bootstrap_over_images_covers_the_truth() -> None:
    rng = np.random.default_rng(11)
    covered = []
    for _ in range(200):
        # Both sides share what makes an image hard; the left one is right 3 points more often.
        hard = rng.random((1, 250))
        sides = [hard < share for share in (0.73, 0.70)]
        flipped = [np.where(rng.random(hard.shape) < 0.1, ~side, side) for side in sides]
        counts = [np.stack([side, np.ones_like(side)], axis=-1).astype(np.int64) for side in flipped]
        low, high = image_bootstrap(counts[0], counts[1], accuracy_pct)
        covered.append(low <= 100 * 0.03 * 0.8 <= high)
    assert 0.90 < np.mean(covered) < 0.99


def test_tests_hold_their_size() -> None:
    paired = [paired_difference(row.tolist()).p_value() < 0.05 for row in draws(1, 5)]
    assert np.mean(paired) == pytest.approx(0.05, abs=SLACK)
    flips = [sign_flip_p(row.tolist()) < 0.07 for row in draws(2, 5)[:600]]
    # Five pairs have p-values in steps of 2/32: 0.0625 is the only one below 0.07.
    assert np.mean(flips) == pytest.approx(0.0625, abs=0.03)
    exchanges = [exchange_p(row[:4], row[4:]) < 0.05 for row in draws(3, 8)[:600]]
    assert np.mean(exchanges) < 0.05 + 0.03


def test_equivalence_holds_its_size_at_the_margin() -> None:
    # A true difference of exactly the margin: declared equivalent in 5 of 100 cases at most.
    found = [equivalence_p(paired_difference((3.0 + row).tolist()), 3.0) < 0.05 for row in draws(4, 6)]
    assert np.mean(found) == pytest.approx(0.05, abs=SLACK)


def test_holm_keeps_the_error_of_the_family() -> None:
    p_values = [[paired_difference(row.tolist()).p_value() for row in family] for family in draws(5, 4, 4)]
    wrong = [min(holm(family)) < 0.05 for family in p_values]
    uncorrected = [min(family) < 0.05 for family in p_values]
    assert np.mean(wrong) < 0.05 + SLACK
    assert np.mean(uncorrected) > 0.15


@pytest.mark.parametrize("paired", [True, False])
def test_effects_are_found_as_often_as_promised(paired: bool) -> None:
    n = runs_needed(1.0, 1.2, paired=paired)
    assert n is not None
    noise = 1.2 * draws(6, n, 2)
    if paired:
        found = [paired_difference((1.0 + row[:, 0]).tolist()) for row in noise]
    else:
        found = [welch_difference((1.0 + row[:, 0]).tolist(), row[:, 1].tolist()) for row in noise]
    promised = power(1.0 / 1.2, n, paired=paired)
    assert promised >= 0.8
    assert np.mean([each.p_value() < 0.05 for each in found]) == pytest.approx(promised, abs=0.03)
