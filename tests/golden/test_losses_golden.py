"""Relaxed losses that can be checked by hand."""

import math

import pytest
import torch

from borderlab.losses import relaxed_cross_entropy

# Three pixels in a row, probabilities 1/8, 2/8, 5/8 of classes 0, 1, 2 at each.
LOGITS = torch.tensor([1.0, 2.0, 5.0]).log().view(1, 3, 1, 1).expand(1, 3, 1, 3)


def test_two_classes_at_the_border():
    """Labels 0 0 1: sets {0}, {0, 1}, {0, 1}, so -log(1/8 * 3/8 * 3/8) / 3."""
    loss = relaxed_cross_entropy(LOGITS, torch.tensor([[[0, 0, 1]]]), 1)
    assert loss.item() == pytest.approx(-math.log(1 / 8 * 3 / 8 * 3 / 8) / 3)


def test_all_classes_in_the_window_cost_nothing():
    """Labels 0 1 2: the middle pixel may be anything, -log(3/8 * 1 * 7/8) / 3."""
    loss = relaxed_cross_entropy(LOGITS, torch.tensor([[[0, 1, 2]]]), 1)
    assert loss.item() == pytest.approx(-math.log(3 / 8 * 7 / 8) / 3)


def test_strict_class_keeps_its_own_label():
    """Labels 0 1 2, class 1 strict: the middle pixel costs -log(2/8), its neighbours still profit from class 1."""
    loss = relaxed_cross_entropy(LOGITS, torch.tensor([[[0, 1, 2]]]), 1, strict_classes=(1,))
    assert loss.item() == pytest.approx(-math.log(3 / 8 * 2 / 8 * 7 / 8) / 3)


def test_ignored_pixel_neither_pays_nor_helps():
    """Labels 0 void 2: sets {0} and {2}, so -log(1/8 * 5/8) / 2."""
    loss = relaxed_cross_entropy(LOGITS, torch.tensor([[[0, 255, 2]]]), 1)
    assert loss.item() == pytest.approx(-math.log(1 / 8 * 5 / 8) / 2)
