"""The confusion matrix: what counts, what does not, and what is refused."""

import math

import numpy as np
import pytest
import torch

from borderlab.evaluation.confusion import ConfusionMatrix, count_together


def ids(*values):
    return np.array(values, np.uint8)


def matrix_of(target, pred, n_classes=3):
    matrix = ConfusionMatrix(n_classes)
    matrix.update(ids(*target), ids(*pred))
    return matrix


def test_rows_are_targets_and_columns_predictions():
    assert matrix_of([0, 0, 1, 2], [0, 1, 1, 0]).counts.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]]


def test_iou_of_a_worked_example():
    matrix = matrix_of([0, 0, 0, 1, 1], [0, 0, 1, 1, 0])
    # Class 0: 2 hits of 3 + 3 - 2; class 1: 1 of 2 + 2 - 1; class 2 occurs nowhere.
    assert matrix.iou()[:2].tolist() == [2 / 4, 1 / 3]
    assert math.isnan(matrix.iou()[2])
    assert matrix.miou() == pytest.approx((2 / 4 + 1 / 3) / 2)
    assert matrix.accuracy() == 3 / 5


def test_predicted_class_without_truth_counts_as_zero_in_the_mean():
    assert matrix_of([0, 0], [0, 2]).miou() == pytest.approx((1 / 2 + 0) / 2)


def test_void_target_does_not_count():
    matrix = matrix_of([0, 255, 255], [0, 0, 1])
    assert (matrix.total, matrix.miou(), matrix.accuracy()) == (1, 1.0, 1.0)


def test_void_prediction_is_a_miss_of_its_target_and_of_no_other_class():
    matrix = matrix_of([0, 0, 1], [0, 255, 1])
    assert matrix.counts[0].tolist() == [1, 0, 0, 1]
    assert matrix.iou()[:2].tolist() == [1 / 2, 1.0]
    assert matrix.accuracy() == 2 / 3


@pytest.mark.filterwarnings("error")
def test_nothing_counted_is_nan_without_a_warning():
    matrix = matrix_of([255], [0])
    assert math.isnan(matrix.miou())
    assert math.isnan(matrix.accuracy())
    assert matrix.total == 0


def test_merge_equals_one_matrix_over_all():
    parts = [([0, 1, 2], [0, 2, 2]), ([2, 255, 1], [1, 1, 1])]
    merged = matrix_of(*parts[0])
    merged.merge(matrix_of(*parts[1]))
    whole = matrix_of(parts[0][0] + parts[1][0], parts[0][1] + parts[1][1])
    np.testing.assert_array_equal(merged.counts, whole.counts)


def test_merge_refuses_another_number_of_classes():
    with pytest.raises(ValueError, match="of 4 classes into one of 3"):
        ConfusionMatrix(3).merge(ConfusionMatrix(4))


def test_torch_tensors_and_strided_arrays():
    target, pred = np.random.default_rng(0).integers(0, 3, (2, 6, 8)).astype(np.uint8)
    expected = matrix_of(target.ravel(), pred.ravel())
    for pair in [
        (torch.from_numpy(target), torch.from_numpy(pred)),
        (target[::-1, ::-1], pred[::-1, ::-1]),
        (target.T, pred.T),
    ]:
        matrix = ConfusionMatrix(3)
        matrix.update(*pair)
        np.testing.assert_array_equal(matrix.counts, expected.counts)


def test_one_class_and_255_classes():
    assert matrix_of([0, 1, 255], [0, 0, 0], n_classes=1).counts.tolist() == [[1, 0]]
    wide = matrix_of([254, 255], [254, 0], n_classes=255)
    assert (wide.counts[254, 254], wide.total) == (1, 1)


@pytest.mark.parametrize("n_classes", [0, 256])
def test_impossible_number_of_classes(n_classes):
    with pytest.raises(ValueError, match=r"1\.\.255"):
        ConfusionMatrix(n_classes)


@pytest.mark.parametrize(
    ("target", "pred", "name"), [(np.zeros(2, int), ids(0, 0), "target"), (ids(0, 0), torch.zeros(2).long(), "pred")]
)
def test_other_types_are_refused_by_name(target, pred, name):
    with pytest.raises(TypeError, match=f"{name} holds int64"):
        ConfusionMatrix(2).update(target, pred)


def test_shapes_must_be_equal_even_where_the_sizes_are():
    with pytest.raises(ValueError, match=r"\(2, 3\), \(3, 2\)"):
        ConfusionMatrix(2).update(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8))


def test_counts_beyond_float32_are_exact():
    pixels = np.zeros((1 << 24) + 3, np.uint8)
    assert count_together((pixels, pixels), (2, 256))[0, 0] == (1 << 24) + 3
