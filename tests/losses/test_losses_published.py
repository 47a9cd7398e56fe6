"""The published loss, kept to compare with: each of its defects is here, and the schedule and weights around it."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from borderlab.data.base import IGNORE_INDEX
from borderlab.errors import ConfigError
from borderlab.losses import create_loss, relaxed_cross_entropy
from borderlab.losses.boundary import is_beside_another_class
from borderlab.losses.published import published_loss
from borderlab.losses.relaxed import boundary_cross_entropy, class_shares
from borderlab.spec import LossSpec

REFERENCE = LossSpec(name="relaxed", reference=True)


def pixels(n=2, c=4, size=(7, 9), seed=0):
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, c, (n, *size), generator=generator)
    target[:, :2] = 255
    return torch.randn(n, c, *size, generator=generator, dtype=torch.float64), target


def literal(logits, target, radius, strict, bound):
    """The formula of the facts sheet, pixel by pixel in NumPy."""
    n, c, h, w = logits.shape
    p = torch.softmax(logits, 1).numpy()
    sets, marks = np.zeros((n, h, w), object), np.zeros((n, c + 1))
    for i, y, x in np.ndindex(n, h, w):
        window = {
            int(target[i, b, a]) if 0 <= b < h and 0 <= a < w and target[i, b, a] < c else c
            for b in range(y - radius, y + radius + 1)
            for a in range(x - radius, x + radius + 1)
        }
        if int(target[i, y, x]) in strict:
            window = {int(target[i, y, x])}
        sets[i, y, x] = window - {c}
        for mark in window:
            marks[i, mark] += 1
    share = marks / marks.sum(1, keepdims=True)
    weights = 1 + bound * (share > 0) * (1 - share)
    total = 0.0
    for i in range(n):
        ignored = sum(not sets[i, y, x] for y, x in np.ndindex(h, w))
        for j, y, x in np.ndindex(n, h, w):
            if sets[i, y, x]:
                mass = sum(p[i, k, y, x] for k in sets[i, y, x])
                weight = sum(weights[i, k] for k in sets[i, y, x])
                total += weight * -np.log(mass) / max(len(sets[j, y, x]), 1) / (h * w - ignored + 1)
    return total


@pytest.mark.parametrize("strict", [(), (1, 3)])
@pytest.mark.parametrize("bound", [0.0, 1.0, 6.0])
def test_published_loss_is_the_formula(strict, bound):
    logits, target = pixels()
    expected = literal(logits, target, 1, strict, bound)
    assert float(published_loss(logits, target, 1, strict, bound)) == pytest.approx(expected, rel=1e-5)


def test_defect_1_the_loss_grows_with_the_square_of_the_batch():
    logits, target = pixels(n=1)
    single = published_loss(logits, target, 1)
    for copies in (2, 4):
        batch = published_loss(logits.expand(copies, -1, -1, -1), target.expand(copies, -1, -1), 1)
        assert float(batch / single) == pytest.approx(copies**2)


def test_defect_2_a_right_and_certain_pixel_is_not_a_number():
    target = torch.tensor([[[0, 0, 1, 1]]])
    logits = torch.zeros(1, 3, 1, 4)
    logits[:, 0] = 104.0
    logits[:, 2] = -1.0
    assert published_loss(logits, target, 1).isnan()
    assert relaxed_cross_entropy(logits, target, 1).isfinite()


def test_defect_3_ignored_pixels_are_trained():
    """A band of six ignored rows in 64 x 64 pixels: its 64 pixels beside a label are supervised."""
    target = torch.zeros(1, 64, 64, dtype=torch.long)
    target[:, :6] = IGNORE_INDEX
    logits = torch.randn(1, 3, 64, 64, requires_grad=True, generator=torch.Generator().manual_seed(0))

    def trained(loss):
        gradient = torch.autograd.grad(loss, logits)[0].abs().sum(1)
        return int((gradient[target == IGNORE_INDEX] > 0).sum())

    assert trained(published_loss(logits, target, 1)) == 64
    assert trained(relaxed_cross_entropy(logits, target, 1)) == 0


def test_reference_switch_gives_the_published_loss_in_both_phases():
    logits, target = pixels()
    loss = create_loss(REFERENCE.model_copy(update={"relax_until": 100 / 175, "image_weight_bound": 1.0}))
    assert torch.equal(loss(logits, target, 0.5), published_loss(logits, target, 1, (), 1.0))
    late = loss(logits, target, 0.6)
    assert torch.equal(late, published_loss(logits, target, 0, (), 1.0))
    near = is_beside_another_class(target, 4) & (target != IGNORE_INDEX)
    pixel = F.cross_entropy(logits[:1], target[:1], ignore_index=IGNORE_INDEX, reduction="none")
    counts = torch.where(near, 2.0, 1.0) * (target[:1] != IGNORE_INDEX)
    alone = published_loss(logits[:1], target[:1], 0)
    labelled = (target[0] != IGNORE_INDEX).sum()
    assert float(alone) == pytest.approx(float((pixel * counts[:1]).sum() / (labelled + 1)), rel=1e-5)


def test_boundary_pixels_are_those_beside_another_class():
    target = torch.tensor([[[0, 0, 1, 1], [0, 0, 1, 255], [0, 0, 0, 255]]])
    expected = [[False, True, True, False], [False, True, True, False], [False, False, True, False]]
    assert is_beside_another_class(target, 2)[0].tolist() == expected


def test_boundary_weight_comes_after_relaxation():
    logits, target = pixels()
    loss = create_loss(LossSpec(name="relaxed", relax_until=0.5, boundary_weight=2.0))
    assert torch.equal(loss(logits, target, 0.4), relaxed_cross_entropy(logits, target, 1))
    near = is_beside_another_class(target, 4)
    labelled = target != IGNORE_INDEX
    weights = (1.0 + near.double())[labelled]
    pixel = F.cross_entropy(logits, target, ignore_index=IGNORE_INDEX, reduction="none")[labelled]
    expected = (pixel * weights).sum() / weights.sum()
    torch.testing.assert_close(loss(logits, target, 0.5), expected)
    torch.testing.assert_close(boundary_cross_entropy(logits, target, 2.0), expected)
    assert not torch.allclose(expected, F.cross_entropy(logits, target, ignore_index=IGNORE_INDEX))


def test_image_weights_raise_rare_classes_of_each_image_by_itself():
    logits, target = pixels()
    shares = class_shares(target, 4)
    labelled = (target[0] < 4).sum()
    assert shares[0].tolist() == pytest.approx([float((target[0] == k).sum() / labelled) for k in range(4)])
    weights = 1 + 6 * (1 - shares)
    pixel = F.cross_entropy(logits, target, ignore_index=IGNORE_INDEX, reduction="none")
    own = torch.stack([weights[i][target[i].where(target[i] < 4, 0)] for i in range(2)])
    expected = (pixel * own).sum() / (target < 4).sum()
    torch.testing.assert_close(relaxed_cross_entropy(logits, target, 0, image_weight_bound=6.0), expected)
    gradient = torch.autograd.grad(
        relaxed_cross_entropy(logits.requires_grad_(), target, 1, image_weight_bound=6.0), logits
    )[0]
    other = target.clone()
    other[1, 2:] = 0
    changed = torch.autograd.grad(relaxed_cross_entropy(logits, other, 1, image_weight_bound=6.0), logits)[0]
    torch.testing.assert_close(gradient[0], changed[0])


def test_image_weights_hold_in_both_phases_whatever_boundary_pixels_weigh():
    logits, target = pixels()
    near, labelled = is_beside_another_class(target, 4), target != IGNORE_INDEX
    weights = 1 + 6 * (1 - class_shares(target, 4))
    own = torch.stack([weights[i][target[i].where(target[i] < 4, 0)] for i in range(2)])
    pixel = F.cross_entropy(logits, target, ignore_index=IGNORE_INDEX, reduction="none")
    for boundary in (1.0, 2.0):
        spec = LossSpec(name="relaxed", relax_until=0.5, boundary_weight=boundary, image_weight_bound=6.0)
        counts = torch.where(near, boundary, 1.0) * labelled
        torch.testing.assert_close(create_loss(spec)(logits, target, 0.5), (pixel * counts * own).sum() / counts.sum())


def test_strict_classes_are_named():
    logits, target = pixels()
    loss = create_loss(LossSpec(name="relaxed", strict_classes=("c", "a")), classes=("a", "b", "c", "d"))
    assert torch.equal(loss(logits, target, 0.0), relaxed_cross_entropy(logits, target, 1, (2, 0)))
    with pytest.raises(ConfigError, match=r"loss.strict_classes: got 'z'; allowed: a, b"):
        create_loss(LossSpec(name="relaxed", strict_classes=("a", "z")), classes=("a", "b"))


@pytest.mark.parametrize("n_classes", [64, 65, 130])
def test_more_than_64_classes(n_classes):
    generator = torch.Generator().manual_seed(0)
    target = torch.randint(0, n_classes, (1, 8, 9), generator=generator)
    logits = torch.randn(1, n_classes, 8, 9, generator=generator, dtype=torch.float64)
    probability = logits.softmax(1)[0]
    expected = 0.0
    for y, x in np.ndindex(8, 9):
        window = target[0, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].unique()
        expected -= float(probability[window, y, x].sum().log()) / 72
    assert float(relaxed_cross_entropy(logits, target, 1)) == pytest.approx(expected)
