"""The confusion matrix against scikit-learn's, IoU against sets of pixels."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, jaccard_score

from borderlab.evaluation.confusion import ConfusionMatrix

N_CLASSES = 7


@pytest.fixture(params=range(3))
def labels(request):
    """Target with void and an absent class; prediction with void."""
    random = np.random.default_rng(request.param)
    target = random.choice([0, 1, 2, 3, 5, 6, 255], (37, 53)).astype(np.uint8)
    pred = np.where(random.random(target.shape) < 0.6, target, random.choice([0, 1, 2, 3, 6, 255], target.shape))
    return target, pred.astype(np.uint8)


def test_counts_equal_scikit_learn(labels):
    target, pred = (label.ravel() for label in labels)
    matrix = ConfusionMatrix(N_CLASSES)
    matrix.update(target, pred)
    known = target != 255
    expected = confusion_matrix(target[known], pred[known], labels=[*range(N_CLASSES), 255])
    np.testing.assert_array_equal(matrix.counts, expected[:N_CLASSES])


def test_iou_equals_scikit_learn(labels):
    target, pred = (label.ravel() for label in labels)
    matrix = ConfusionMatrix(N_CLASSES)
    matrix.update(target, pred)
    known = target != 255
    present = sorted(({*target[known]} | {*pred[known]}) - {255})
    expected = jaccard_score(target[known], pred[known], labels=present, average=None)
    np.testing.assert_allclose(matrix.iou()[present], expected)
    assert np.flatnonzero(np.isnan(matrix.iou())).tolist() == [4]
    assert matrix.miou() == pytest.approx(expected.mean())


def test_iou_equals_sets_of_pixels_over_two_images(labels):
    matrix = ConfusionMatrix(N_CLASSES)
    pairs = [labels, (labels[0][::-1], labels[1])]
    for target, pred in pairs:
        matrix.update(target, pred)
    for class_id in (0, 3, 6):
        in_target, in_pred = set(), set()
        for image, (target, pred) in enumerate(pairs):
            for place in np.ndindex(target.shape):
                if target[place] != 255:
                    in_target |= {(image, place)} if target[place] == class_id else set()
                    in_pred |= {(image, place)} if pred[place] == class_id else set()
        assert matrix.iou()[class_id] == pytest.approx(len(in_target & in_pred) / len(in_target | in_pred))
