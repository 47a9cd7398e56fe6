"""Position leak: exactly zero where padding continues a constant, and known values where it does not."""

import pytest
import torch
from tests.probe.conftest import Stack

from borderlab.probe.position_leak import constant_images, position_leak, ring_deviation


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("strides", [(1, 1, 1), (2, 1, 2)])
def test_modes_that_continue_a_constant_leak_nothing(make_network, mode: str, strides: tuple[int, ...]) -> None:
    network = make_network(Stack(strides))
    rows = list(position_leak(network, [mode], (24, 32)))
    assert {row["constant"] for row in rows} == {"mean", "black", "white"}
    assert {row["stage"] for row in rows} == {1, 2, 3}
    assert max(row["deviation"] or 0.0 for row in rows) < 1e-5


def test_zeros_leak_more_stages_deeper(make_network) -> None:
    rows = list(position_leak(make_network(Stack((1, 1, 1))), ["zeros"], (24, 24)))
    reached = {
        stage: max(row["from_px"] for row in rows if row["stage"] == stage and (row["deviation"] or 0) > 1e-6)
        for stage in (1, 2, 3)
    }
    # One 3x3 convolution reaches one pixel farther than the one before; pixel 2 opens the ring 2..4.
    assert reached == {1: 0, 2: 1, 3: 2}


def test_zeros_leak_nothing_into_the_first_layer_for_the_networks_own_mean(make_network) -> None:
    rows = list(position_leak(make_network(Stack((1, 1))), ["zeros"], (16, 16)))
    first = {row["constant"]: row["deviation"] for row in rows if row["stage"] == 1 and row["from_px"] == 0}
    assert first["mean"] == pytest.approx(0, abs=1e-6)
    assert first["black"] > 0.01


def test_partial_padding_leaks_nothing_through_flat_kernels_alone(make_network) -> None:
    network = make_network()
    assert max(row["deviation"] or 0.0 for row in position_leak(network, ["partial"], (16, 16))) > 0.01
    for layer in network.module.layers:
        layer.weight.data.fill_(0.1)
    assert max(row["deviation"] or 0.0 for row in position_leak(network, ["partial"], (16, 16))) < 1e-5


def test_deviation_of_a_known_map() -> None:
    own = torch.full((1, 2, 5, 5), 2.0)
    own[:, :, 1:4, 1:4] = 1.0
    deviations = {row["from_px"]: row["deviation"] for row in ring_deviation(own)}
    assert deviations == {0: 1.0, 1: 0.0, 2: 0.0}


def test_a_centre_of_zeros_gives_no_deviation_and_a_map_of_border_no_row() -> None:
    assert {row["deviation"] for row in ring_deviation(torch.zeros(1, 1, 5, 5))} == {None}
    assert list(ring_deviation(torch.ones(1, 1, 2, 6))) == []


def test_constants_are_what_the_network_sees(make_network) -> None:
    images = constant_images(make_network(), (2, 3))
    assert images["mean"].abs().max() == 0
    assert images["black"][0, :, 0, 0].tolist() == pytest.approx([-2.5, -2.0, -1.5])
    assert images["white"][0, :, 1, 2].tolist() == pytest.approx([2.5, 3.0, 3.5])
