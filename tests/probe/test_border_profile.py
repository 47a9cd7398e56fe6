"""Profiles: statistics against a literal reading, and limits where they are known."""

import math

import numpy as np
import pytest
import torch

from borderlab.evaluation.rings import border_distance_px
from borderlab.probe.border_profile import CellSums, border_profile, ring_profile
from borderlab.probe.map_rings import interior, map_rings


def sums_of(*batches: torch.Tensor) -> CellSums:
    sums = CellSums()
    for batch in batches:
        sums.update(batch)
    return sums


def test_statistics_are_those_of_all_values_at_once() -> None:
    values = torch.randn(5, 3, 6, 7, dtype=torch.float64) * torch.tensor([1.0, 2.0, 5.0]).reshape(3, 1, 1) + 1
    found = list(ring_profile(sums_of(values[:2], values[2:]), 6, 7))
    distance, array = border_distance_px(6, 7), values.numpy()
    inside = array[:, :, distance >= 1]
    for row, ring in zip(found, (distance == 0, distance == 1, distance == 2), strict=True):
        own = array[:, :, ring]
        assert row["magnitude_ratio"] == pytest.approx(np.abs(own).mean() / np.abs(inside).mean())
        assert row["sd_ratio"] == pytest.approx(own.std() / inside.std())
        moved = (own.mean(axis=(0, 2)) - inside.mean(axis=(0, 2))) / inside.std(axis=(0, 2))
        assert row["mean_shift_sd"] == pytest.approx(np.sqrt((moved**2).mean()))


def test_a_doubled_border_is_seen_as_twice_the_magnitude() -> None:
    maps = torch.ones(2, 1, 4, 4)
    maps[:, :, map_rings(4, 4)[0].cells] = 2
    outer, inner = ring_profile(sums_of(maps), 4, 4)
    assert (outer["magnitude_ratio"], inner["magnitude_ratio"]) == (2, 1)
    # No channel varies inside: there is nothing to measure a shift in.
    assert outer["mean_shift_sd"] is None


def test_dead_channels_do_not_count_as_a_shift() -> None:
    maps = torch.randn(4, 2, 5, 5)
    alone = list(ring_profile(sums_of(maps), 5, 5))
    with_dead = list(ring_profile(sums_of(torch.cat([maps, torch.zeros(4, 1, 5, 5)], dim=1)), 5, 5))
    for one, other in zip(alone, with_dead, strict=True):
        assert one["mean_shift_sd"] == pytest.approx(other["mean_shift_sd"])


def test_an_interior_of_zeros_gives_no_ratio() -> None:
    rows = list(ring_profile(sums_of(torch.zeros(1, 2, 5, 5)), 5, 5))
    assert all(row["magnitude_ratio"] is None for row in rows)


def test_maps_without_an_interior_are_left_out() -> None:
    assert interior(2, 2) is None
    assert list(ring_profile(sums_of(torch.ones(1, 1, 2, 2)), 2, 2)) == []


def test_sums_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="no map"):
        CellSums().over(torch.ones(2, 2, dtype=torch.bool))


def test_zeros_padding_weakens_the_border_of_a_flat_kernel(make_network, make_images) -> None:
    network = make_network()
    for layer in network.module.layers:
        layer.weight.data.fill_(1.0)
        layer.bias.data.zero_()
    # All inputs positive: each missing pixel lowers the sum.
    network = make_network(network.module, mean=(0.0, 0.0, 0.0))
    rows = list(border_profile(network, ["zeros", "partial"], make_images(height=12, width=12)))
    outer = {(row["tested_mode"], row["stage"]): row for row in rows if row["from_px"] == 0}
    assert outer["zeros", 1]["magnitude_ratio"] == pytest.approx(0.66, abs=0.05)
    assert outer["partial", 1]["magnitude_ratio"] == pytest.approx(1, abs=0.05)
    assert {row["n_images"] for row in rows} == {8}
    assert all(math.isfinite(row["sd_ratio"]) for row in rows)
