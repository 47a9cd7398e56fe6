"""Shift consistency: exact zeros beyond the reach of the border, at whole cells alone."""

import pytest
import torch
from tests.probe.conftest import Stack

from borderlab.probe.shift_consistency import cells_of_shift, overlap, overlap_distance, shift_consistency


def test_overlaps_show_the_same_content() -> None:
    image = torch.arange(8 * 9).reshape(8, 9)
    first, second = overlap(image[:5, :6], image[2:7, 3:9], (2, 3))
    assert torch.equal(first, second)
    assert first.shape == (3, 3)


def test_distance_is_to_the_nearer_of_both_windows() -> None:
    # The second window begins where column 2 of the first one is: its border lies inside the first.
    assert overlap_distance(5, 7, (0, 2)).tolist() == [
        [0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 1, 2, 1, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 0, 0, 0],
    ]


@pytest.mark.parametrize(
    ("shift", "cells"), [((0, 8), (0, 2)), ((4, 4), (1, 1)), ((0, 6), None), ((0, 64), None), ((0, 0), (0, 0))]
)
def test_shifts_are_whole_cells_or_none(shift: tuple[int, int], cells: tuple[int, int] | None) -> None:
    assert cells_of_shift((64, 64), (16, 16), shift) == cells


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular", "partial"])
def test_nothing_changes_beyond_the_reach_of_the_border(make_network, make_images, mode: str) -> None:
    rows = list(shift_consistency(make_network(), [mode], [(0, 4)], make_images(height=24, width=28, size=(24, 24))))
    changes = {(row["level"], row["from_px"]): row["relative_change"] for row in rows if row["level"] != "prediction"}
    assert changes["stage 1", 0] > 0.01
    assert changes["stage 1", 1] < 1e-6
    assert changes["stage 2", 1] > 1e-3
    assert changes["stage 2", 2] < 1e-6


def test_maps_are_left_out_where_the_shift_is_no_whole_cell(make_network, make_images) -> None:
    network = make_network(Stack((2, 2)))
    rows = list(shift_consistency(network, ["zeros"], [(0, 2)], make_images(height=24, width=26, size=(24, 24))))
    assert {row["level"] for row in rows} == {"prediction", "stage 1"}


def test_no_shift_changes_nothing(make_network, make_images) -> None:
    rows = list(shift_consistency(make_network(), ["zeros"], [(0, 0)], make_images()))
    assert rows[0]["same_pct"] == 100
    assert all(row["relative_change"] in (None, 0.0) for row in rows)
    assert {(row["dy_px"], row["dx_px"], row["n_images"]) for row in rows} == {(0, 0, 8)}
