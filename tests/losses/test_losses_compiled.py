"""The form of the relaxed loss for compilers equals the other one, run as it stands and compiled."""

import math

import pytest
import torch

from borderlab.losses import relaxed_cross_entropy
from borderlab.losses.compiled import compiled_loss


def pixels(n_classes, size=(6, 7), dtype=torch.float64, n=2):
    generator = torch.Generator().manual_seed(0)
    target = torch.randint(0, n_classes, (n, *size), generator=generator)
    target[torch.rand(target.shape, generator=generator) < 0.2] = 255
    return 3 * torch.randn(n, n_classes, *size, generator=generator, dtype=dtype), target


def loss_and_gradient(loss, logits, target, *settings):
    leaf = logits.detach().requires_grad_()
    value = loss(leaf, target, *settings)
    return value.detach(), torch.autograd.grad(value, leaf)[0]


@pytest.mark.parametrize("n_classes", [2, 3, 19, 31, 32, 64, 65, 130])
@pytest.mark.parametrize("strict", [(), (1,)])
@pytest.mark.parametrize("radius_px", [0, 1, 2])
def test_equals_the_other_form(n_classes, strict, radius_px):
    logits, target = pixels(n_classes)
    found = loss_and_gradient(compiled_loss, logits, target, radius_px, strict)
    expected = loss_and_gradient(relaxed_cross_entropy, logits, target, radius_px, () if radius_px == 0 else strict)
    torch.testing.assert_close(found, expected)


def test_gradient_against_differences():
    logits, target = pixels(4, (4, 3))
    assert torch.autograd.gradcheck(lambda x: -3 * compiled_loss(x, target, 1, ()), logits.requires_grad_())


@pytest.mark.parametrize("gap", [104.0, 1e4, 1e30])
@pytest.mark.parametrize("right", [0, 1])
def test_defect_2_finite_at_any_logit_gap(gap, right):
    target = torch.tensor([[[0, 0, 1, 1], [0, 0, 1, 1]]])
    logits = torch.zeros(1, 3, 2, 4)
    logits[:, right] = gap
    logits[:, 2] = gap if right else -gap
    value, gradient = loss_and_gradient(compiled_loss, logits, target, 1, ())
    assert value.isfinite()
    assert gradient.isfinite().all()
    torch.testing.assert_close((value, gradient), loss_and_gradient(relaxed_cross_entropy, logits, target, 1))


def test_a_hopeless_border_pixel_still_learns():
    """p = softmax(-1000, -1000, 0): loss 1000 - log 2, gradient p - (1/2, 1/2, 0)."""
    logits = torch.tensor([-1000.0, -1000.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 1, 2)
    value, gradient = loss_and_gradient(compiled_loss, logits, torch.tensor([[[0, 1]]]), 1, ())
    assert value.item() == pytest.approx(1000 - math.log(2), rel=1e-7)
    assert (2 * gradient[0, :, 0, 0]).tolist() == pytest.approx([-0.5, -0.5, 1.0])


def test_all_classes_in_the_set_cost_nothing_and_teach_nothing():
    logits, target = torch.randn(1, 2, 1, 2), torch.tensor([[[0, 1]]])
    value, gradient = loss_and_gradient(compiled_loss, logits, target, 1, ())
    assert value == 0
    assert gradient.abs().sum() == 0


def test_ignored_pixels_do_no_harm_and_are_not_trained():
    logits, target = torch.zeros(1, 2, 1, 3), torch.tensor([[[0, 1, 255]]])
    logits[0, 0, 0, 2] = -torch.inf
    value, gradient = loss_and_gradient(compiled_loss, logits, target, 0, ())
    assert value.item() == pytest.approx(math.log(2))
    assert gradient[..., 2].abs().sum() == 0


def test_nothing_labelled_gives_zero_and_no_gradient():
    value, gradient = loss_and_gradient(compiled_loss, torch.randn(2, 4, 3, 3), torch.full((2, 3, 3), 255), 1, ())
    assert value == 0
    assert gradient.abs().sum() == 0


def test_an_unknown_class_is_no_finite_loss():
    """A compiler cannot raise for a value of a tensor; training stops at a loss that is not finite."""
    logits, target = pixels(4)
    assert not compiled_loss(logits, target.where(target != 3, 4), 0, ()).isfinite()


@pytest.mark.slow
@pytest.mark.parametrize(("n_classes", "dtype"), [(19, torch.float32), (34, torch.float32), (5, torch.bfloat16)])
def test_compiled_loss_is_the_same(n_classes, dtype):
    logits, target = pixels(n_classes, (20, 24), torch.float32)
    logits = logits.to(dtype)
    found = loss_and_gradient(torch.compile(relaxed_cross_entropy), logits, target, 1, (1,))
    torch.testing.assert_close(found, loss_and_gradient(relaxed_cross_entropy, logits, target, 1, (1,)))


@pytest.mark.slow
def test_compiled_loss_is_finite_where_it_is_sure():
    sure = torch.zeros(1, 3, 2, 4)
    sure[:, 0] = 1e4
    target = torch.tensor([[[0, 0, 1, 1], [0, 0, 1, 1]]])
    assert torch.compile(relaxed_cross_entropy)(sure, target, 1).isfinite()
