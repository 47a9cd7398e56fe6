"""Rings by distance from the image border."""

import numpy as np
import pytest

from borderlab.evaluation.confusion import ConfusionMatrix
from borderlab.evaluation.rings import RingConfusion, border_distance_px


def test_distance_of_a_small_image():
    expected = [[0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 1, 2, 1, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]]
    assert border_distance_px(5, 5).tolist() == expected


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (4, 7), (8, 3)])
def test_distance_is_the_least_over_the_four_sides(size):
    height, width = size
    expected = [[min(y, x, height - 1 - y, width - 1 - x) for x in range(width)] for y in range(height)]
    assert border_distance_px(*size).tolist() == expected


def test_each_ring_holds_the_pixels_of_its_distances():
    random = np.random.default_rng(0)
    target, pred = random.integers(0, 4, (2, 23, 31)).astype(np.uint8)
    target[target == 3] = 255
    rings = RingConfusion(3, (0, 1, 2, 5))
    distance = border_distance_px(23, 31)
    for _ in range(2):
        rings.update(target, pred)
    for ring in rings:
        inside = (distance >= ring.from_px) & (distance < (ring.to_px or 999))
        expected = ConfusionMatrix(3)
        expected.update(target[inside], pred[inside])
        np.testing.assert_array_equal(ring.matrix.counts, 2 * expected.counts)


def test_rings_cover_the_image_once():
    target, pred = np.random.default_rng(1).integers(0, 3, (2, 40, 50)).astype(np.uint8)
    rings, whole = RingConfusion(3), ConfusionMatrix(3)
    rings.update(target, pred)
    whole.update(target, pred)
    np.testing.assert_array_equal(rings.overall().counts, whole.counts)


def test_error_at_the_border_shows_in_the_outermost_ring_alone():
    target = np.zeros((10, 12), np.uint8)
    pred = np.where(border_distance_px(10, 12) == 0, 1, 0).astype(np.uint8)
    rings = RingConfusion(2)
    rings.update(target, pred)
    assert [ring.matrix.accuracy() for ring in rings if ring.matrix.total] == [0, 1, 1, 1]


def test_edges_and_their_ends():
    assert [(ring.from_px, ring.to_px) for ring in RingConfusion(2, (0, 3, 9))] == [(0, 3), (3, 9), (9, None)]


@pytest.mark.parametrize("edges", [(), (1, 2), (0, 2, 2), (0, 4, 3), tuple(range(257))])
def test_edges_that_do_not_tile_are_refused(edges):
    with pytest.raises(ValueError, match="must begin with 0 and ascend"):
        RingConfusion(2, edges)


def test_a_stack_of_images_is_refused():
    with pytest.raises(ValueError, match="one whole image"):
        RingConfusion(2).update(np.zeros((1, 4, 5), np.uint8), np.zeros((1, 4, 5), np.uint8))


def test_shapes_must_be_equal():
    with pytest.raises(ValueError, match="must be equal"):
        RingConfusion(2).update(np.zeros((4, 5), np.uint8), np.zeros((5, 4), np.uint8))
