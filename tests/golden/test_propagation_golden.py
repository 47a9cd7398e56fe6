"""Propagation by hand."""

import numpy as np

from borderlab.propagation.warp import in_frame, sampling_map, warp_image, warp_label

LABEL = np.array([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]], np.uint8)


def grid(u, v):
    flow = np.empty((2, 3, 4), np.float32)
    flow[0], flow[1] = u, v
    return sampling_map(flow)


def test_one_pixel_to_the_right_reads_the_right_neighbour():
    assert warp_label(LABEL, *grid(1, 0)).tolist() == [[1, 2, 3, 3], [5, 6, 7, 7], [9, 10, 11, 11]]
    assert in_frame(*grid(1, 0)).tolist() == [[True, True, True, False]] * 3


def test_one_pixel_down_reads_the_pixel_below():
    assert warp_label(LABEL, *grid(0, 1)).tolist() == [[4, 5, 6, 7], [8, 9, 10, 11], [8, 9, 10, 11]]
    assert in_frame(*grid(0, 1)).tolist() == [[True] * 4, [True] * 4, [False] * 4]


def test_interior_is_a_roll():
    moved = warp_label(LABEL, *grid(-1, 1))
    np.testing.assert_array_equal(moved[:-1, 1:], np.roll(LABEL, (-1, 1), axis=(0, 1))[:-1, 1:])


def test_quarter_pixel_mixes_three_to_one():
    image = np.repeat(np.array([[0, 100, 200, 40]], np.uint8), 3, axis=0)[..., None].repeat(3, -1)
    # 3/4 0 + 1/4 100, 3/4 100 + 1/4 200, 3/4 200 + 1/4 40, and beyond the border 40 again.
    assert warp_image(image, *grid(0.25, 0))[1, :, 0].tolist() == [25, 125, 160, 40]


def test_quarter_pixel_leaves_labels_where_they_are():
    assert warp_label(LABEL, *grid(0.25, -0.25)).tolist() == LABEL.tolist()


def test_two_half_steps_are_not_one_whole_step():
    """Recursion rounds at every step: two steps of half a pixel move a label by two pixels, not one."""
    once = warp_label(LABEL, *grid(0.5, 0))
    assert warp_label(once, *grid(0.5, 0))[0].tolist() == [2, 3, 3, 3]
    assert warp_label(LABEL, *grid(1, 0))[0].tolist() == [1, 2, 3, 3]
