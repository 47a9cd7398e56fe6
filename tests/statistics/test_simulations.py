"""What the intervals and tests promise, counted in simulations with known truth."""

import numpy as np
import pytest

from borderlab.statistics.bootstrap import accuracy_pct, image_bootstrap, miou_pct
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


def flips(rng: np.random.Generator, share: float, hard: np.ndarray) -> np.ndarray:
    """Outcomes (1 n 2) of a network that is right on images less hard than `share`, but for one in ten."""
    right = hard < share
    right = np.where(rng.random(hard.shape) < 0.1, ~right, right)
    return np.stack([right, np.ones_like(right)], axis=-1).astype(np.int64)


def test_bootstrap_of_accuracy_covers_the_truth() -> None:
    rng = np.random.default_rng(11)
    covered = []
    for _ in range(1000):
        # Both sides share what makes an image hard; the left one is right 3 points more often.
        hard = rng.random((1, 250))
        low, high = image_bootstrap(flips(rng, 0.73, hard), flips(rng, 0.70, hard), accuracy_pct)
        covered.append(low <= 100 * 0.03 * 0.8 <= high)
    assert 0.93 < np.mean(covered) < 0.97


def pixels(rng: np.random.Generator, n_images: int, hit: float) -> np.ndarray:
    """Counts (1 n 2 3) of images whose two classes take random parts of 1,000 pixels, of which `hit` are found."""
    first = rng.integers(200, 800, n_images)
    truth = np.stack([first, 1000 - first], axis=-1)
    # Pixels of an image share a fate: each image has its own chance.
    chance = np.clip(hit + rng.normal(0, 0.08, (n_images, 1)), 0.01, 0.99)
    hits = rng.binomial(truth, chance)
    predicted = hits + (truth - hits)[:, ::-1]
    return np.stack([hits, truth, predicted], axis=-1)[None].astype(np.int64)


def test_bootstrap_of_miou_covers_the_truth() -> None:
    rng = np.random.default_rng(12)
    # Truth: the difference over very many images.
    truth = [float(miou_pct(pixels(rng, 400_000, hit)[0].sum(axis=0).astype(float))) for hit in (0.82, 0.80)]
    covered = []
    for _ in range(1000):
        low, high = image_bootstrap(pixels(rng, 100, 0.82), pixels(rng, 100, 0.80), miou_pct)
        covered.append(low <= truth[0] - truth[1] <= high)
    assert 0.93 < np.mean(covered) < 0.97


def test_tests_hold_their_size() -> None:
    paired = [paired_difference(row.tolist()).p_value() < 0.05 for row in draws(1, 5)]
    assert np.mean(paired) == pytest.approx(0.05, abs=SLACK)
    signs = [sign_flip_p(row.tolist()) < 0.07 for row in draws(2, 5)[:600]]
    # Five pairs have p-values in steps of 2/32: 0.0625 is the only one below 0.07.
    assert np.mean(signs) == pytest.approx(0.0625, abs=0.03)
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
