"""Sampling at and beyond the image border."""

import numpy as np
import pytest

from borderlab.propagation.warp import in_frame, sampling_map, warp_image, warp_label


def constant_flow(u, v, size=(5, 6)):
    return np.stack([np.full(size, u, np.float32), np.full(size, v, np.float32)])


def test_map_adds_the_flow_to_the_grid():
    columns, rows = sampling_map(constant_flow(0.25, -1.5))
    assert (columns[3, 2], rows[3, 2]) == (2.25, 1.5)


def test_u_moves_columns_and_v_rows():
    label = np.arange(30, dtype=np.uint8).reshape(5, 6)
    assert warp_label(label, *sampling_map(constant_flow(1, 0)))[2, 3] == label[2, 4]
    assert warp_label(label, *sampling_map(constant_flow(0, 1)))[2, 3] == label[3, 3]


def test_nearest_rounds_halves_up_on_both_sides_of_zero():
    label = np.arange(6, dtype=np.uint8)[None].repeat(5, 0)
    row = warp_label(label, *sampling_map(constant_flow(0.5, 0)))[0]
    assert row.tolist() == [1, 2, 3, 4, 5, 5]
    row = warp_label(label, *sampling_map(constant_flow(-0.5, 0)))[0]
    assert row.tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("distance", [10, 1e4, 6e4])
def test_far_outside_repeats_the_border_pixel(distance):
    image = np.random.default_rng(0).integers(0, 256, (5, 6, 3)).astype(np.uint8)
    columns, rows = sampling_map(constant_flow(distance, 0))
    np.testing.assert_array_equal(warp_image(image, columns, rows), image[:, -1:].repeat(6, 1))
    np.testing.assert_array_equal(warp_label(image[..., 0].copy(), columns, rows), image[:, -1:, 0].repeat(6, 1))
    assert not in_frame(columns, rows).any()


def test_in_frame_is_where_the_nearest_pixel_exists():
    # Width 5: the last column's cell ends at 4.5; height 4: the last row's at 3.5.
    columns = np.tile(np.array([-0.51, -0.5, 2, 4.49, 4.5], np.float32), (4, 1))
    assert in_frame(columns, np.zeros_like(columns))[0].tolist() == [False, True, True, True, False]
    rows = np.tile(np.array([[-0.51], [-0.5], [3.49], [3.5]], np.float32), (1, 5))
    assert in_frame(np.zeros_like(rows), rows)[:, 0].tolist() == [False, True, True, False]
