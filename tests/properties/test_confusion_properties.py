"""What holds for every pair of label maps."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from borderlab.evaluation.confusion import ConfusionMatrix
from borderlab.evaluation.rings import RingConfusion, border_distance_px

SIZES = st.tuples(st.integers(1, 12), st.integers(1, 12))
N_CLASSES = 4


@st.composite
def label_pairs(draw):
    size = draw(SIZES)
    values = st.sampled_from([0, 1, 2, 3, 255])
    return tuple(draw(hnp.arrays(np.uint8, size, elements=values)) for _ in range(2))


def matrix_of(target, pred):
    matrix = ConfusionMatrix(N_CLASSES)
    matrix.update(target, pred)
    return matrix


@given(label_pairs())
def test_every_pixel_with_truth_is_counted_once(pair):
    assert matrix_of(*pair).total == int((pair[0] != 255).sum())


@given(label_pairs())
def test_truth_predicts_itself(pair):
    matrix = matrix_of(pair[0], pair[0])
    assert matrix.miou() == 1 or (math.isnan(matrix.miou()) and (pair[0] == 255).all())


@given(label_pairs(), st.permutations(range(N_CLASSES)))
def test_renaming_the_classes_permutes_iou(pair, names):
    table = np.arange(256, dtype=np.uint8)
    table[:N_CLASSES] = names
    renamed = matrix_of(*(table[label] for label in pair))
    np.testing.assert_array_equal(renamed.iou()[list(names)], matrix_of(*pair).iou())


@given(label_pairs(), st.randoms(use_true_random=False))
def test_order_of_pixels_does_not_matter(pair, random):
    order = list(range(pair[0].size))
    random.shuffle(order)
    shuffled = matrix_of(*(label.ravel()[order] for label in pair))
    np.testing.assert_array_equal(shuffled.counts, matrix_of(*pair).counts)


@settings(max_examples=60)
@given(label_pairs(), st.sets(st.integers(1, 8), max_size=4))
def test_rings_add_up_to_the_image(pair, edges):
    rings = RingConfusion(N_CLASSES, (0, *sorted(edges)))
    rings.update(*pair)
    np.testing.assert_array_equal(rings.overall().counts, matrix_of(*pair).counts)


@given(SIZES)
def test_distance_changes_by_at_most_one_between_neighbours(size):
    distance = border_distance_px(*size)
    assert all(np.abs(np.diff(distance, axis=axis)).max(initial=0) <= 1 for axis in (0, 1))
    np.testing.assert_array_equal(distance, distance[::-1, ::-1])
