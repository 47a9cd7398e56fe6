"""PSNR and SSIM by hand, and the three ways to make a frame."""

import numpy as np
import pytest
from tests.motion.conftest import Pan
from tests.motion.learned_models import KINDS, model_spec, random_model

from borderlab.data.source import InMemory
from borderlab.motion.learned.held_out import BEST_PSNR_DB, held_out_rows, mean_psnr_db, psnr_db, ssim, summary
from borderlab.motion.learned.samples import PairSource, training_and_held_out
from borderlab.motion.registry import create_motion_model


@pytest.fixture
def held_out(tmp_path):
    dataset = Pan()
    dataset.fetch(tmp_path, "val", None)

    def of(kind, input_flow="truth"):
        _, pairs = training_and_held_out(model_spec(kind, input_flow), dataset, tmp_path)
        return InMemory(PairSource(pairs, kind, create_motion_model(input_flow)))

    return of


def test_psnr_is_the_definition():
    real = np.full((8, 8, 3), 100, np.uint8)
    made = real.copy()
    made[:4] = 110  # mean squared difference 50
    assert psnr_db(real, made) == pytest.approx(10 * np.log10(255**2 / 50))
    assert psnr_db(real, real.copy()) == BEST_PSNR_DB


def test_ssim_is_the_definition():
    """One window, so one value: means, variances and covariance over 7 x 7 pixels."""
    random = np.random.default_rng(0)
    real, made = random.integers(0, 256, (2, 7, 7, 3)).astype(np.uint8)
    values = []
    for channel in range(3):
        x, y = real[..., channel].astype(float).ravel(), made[..., channel].astype(float).ravel()
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        covariance = np.cov(x, y)
        above = (2 * x.mean() * y.mean() + c1) * (2 * covariance[0, 1] + c2)
        below = (x.mean() ** 2 + y.mean() ** 2 + c1) * (covariance[0, 0] + covariance[1, 1] + c2)
        values.append(above / below)
    assert ssim(real, made) == pytest.approx(np.mean(values))
    assert ssim(real, real) == pytest.approx(1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_true_flow_beats_a_copy_and_a_random_network(kind, held_out):
    """The clip pans evenly, so the motion of one step earlier is the truth for a prediction too."""
    rows = held_out_rows(random_model(kind).network, kind, held_out(kind))
    means = summary(rows)
    assert list(means) == ["copy", "input_flow", "learned"]
    assert means["input_flow"]["psnr_db"] > means["copy"]["psnr_db"] + 3
    assert means["input_flow"]["psnr_db"] > means["learned"]["psnr_db"]
    assert means["copy"]["better_than_input_pct"] == means["learned"]["better_than_input_pct"] == 0
    assert {row["pair"] for row in rows} == {"clip/00007 from 00006", "clip/00005 from 00006"}


def test_an_untrained_residual_network_is_its_input(held_out):
    from borderlab.motion.learned.model import create_network

    source = held_out("reconstruction", "dis_medium")
    network = create_network(model_spec())
    means = summary(held_out_rows(network, "reconstruction", source))
    assert means["learned"]["psnr_db"] == means["input_flow"]["psnr_db"] > means["copy"]["psnr_db"]
    assert mean_psnr_db(network, "reconstruction", source) == means["learned"]["psnr_db"]


def test_pairs_won_are_counted():
    psnr = {"copy": (1, 9), "input_flow": (5, 5), "learned": (6, 7)}
    rows = [
        {"pair": pair, "method": method, "psnr_db": values[pair], "ssim": 0.5}
        for method, values in psnr.items()
        for pair in (0, 1)
    ]
    assert [means["better_than_input_pct"] for means in summary(rows).values()] == [50, 0, 100]
