"""The relaxed loss, and each known defect of the published code as a test that ours passes."""

import math

import pytest
import torch
import torch.nn.functional as F

from borderlab.errors import ConfigError
from borderlab.losses import RelaxedLoss, create_loss, relaxed_cross_entropy
from borderlab.spec import LossSpec


def pixels(seed=0, n=2, c=4, size=(6, 7), dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, c, (n, *size), generator=generator)
    target[torch.rand(target.shape, generator=generator) < 0.2] = 255
    return torch.randn(n, c, *size, generator=generator, dtype=dtype, requires_grad=True), target


def test_defect_1_images_do_not_leak_into_each_other():
    """In the published code the loss grows with the batch and one image's borders weigh on the others."""
    logits, target = pixels()
    single = relaxed_cross_entropy(logits[:1], target[:1], 1)
    for copies in (2, 4, 8):
        batch = relaxed_cross_entropy(logits[:1].expand(copies, -1, -1, -1), target[:1].expand(copies, -1, -1), 1)
        torch.testing.assert_close(batch, single)
    gradient = torch.autograd.grad(relaxed_cross_entropy(logits, target, 1), logits)[0][0]
    other = torch.cat([target[:1], torch.zeros_like(target[1:]).where(target[1:] != 255, 255)])
    torch.testing.assert_close(torch.autograd.grad(relaxed_cross_entropy(logits, other, 1), logits)[0][0], gradient)


@pytest.mark.parametrize("gap", [104.0, 1e4, 1e30])
@pytest.mark.parametrize("right", [0, 1])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_defect_2_finite_at_any_logit_gap(gap, right, memory_format):
    """In the published code a gap of 104 in single precision gives NaN, even where the network is right."""
    target = torch.tensor([[[0, 0, 1, 1], [0, 0, 1, 1]]])
    logits = torch.zeros(1, 3, 2, 4)
    logits[:, right] = gap
    logits[:, 2] = gap if right else -gap
    logits = logits.to(memory_format=memory_format).requires_grad_()
    loss = relaxed_cross_entropy(logits, target, 1)
    assert loss.isfinite()
    assert torch.autograd.grad(loss, logits)[0].isfinite().all()


def test_defect_2_a_hopeless_border_pixel_still_learns():
    """p = softmax(-1000, -1000, 0): loss 1000 - log 2, gradient p - (1/2, 1/2, 0)."""
    logits = torch.tensor([-1000.0, -1000.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 1, 2).clone().requires_grad_()
    loss = relaxed_cross_entropy(logits, torch.tensor([[[0, 1]]]), 1)
    assert loss.item() == pytest.approx(1000 - math.log(2), rel=1e-7)
    gradient = torch.autograd.grad(loss, logits)[0] * 2
    assert gradient[0, :, 0, 0].tolist() == pytest.approx([-0.5, -0.5, 1.0])


def test_defect_3_ignored_pixels_are_never_trained():
    """In the published code an ignored pixel beside a labelled one is trained on its neighbour's class."""
    logits, target = pixels(c=12)  # more classes than a window has pixels: every labelled pixel has some to avoid
    gradient = torch.autograd.grad(relaxed_cross_entropy(logits, target, 1), logits)[0]
    ignored = target == 255
    assert ignored.any()
    assert gradient.movedim(1, -1)[ignored].abs().max() == 0
    assert (gradient.movedim(1, -1)[~ignored].abs().sum(-1) > 0).all()


def test_ignored_neighbours_contribute_no_class():
    logits, target = torch.randn(1, 3, 1, 3, dtype=torch.float64), torch.tensor([[[255, 1, 255]]])
    expected = F.cross_entropy(logits, target, ignore_index=255)
    torch.testing.assert_close(relaxed_cross_entropy(logits, target, 1), expected)


@pytest.mark.parametrize("shape", [(2, 4, 0, 7), (0, 4, 3, 3), (2, 4, 3, 3)])
def test_nothing_labelled_gives_zero_and_no_gradient(shape):
    logits = torch.randn(shape, requires_grad=True)
    loss = relaxed_cross_entropy(logits, torch.full((shape[0], *shape[2:]), 255), 1)
    assert loss == 0
    assert torch.autograd.grad(loss, logits)[0].abs().sum() == 0


def test_infinite_logits_of_ignored_pixels_do_no_harm():
    logits, target = torch.zeros(1, 2, 1, 3), torch.tensor([[[0, 1, 255]]])
    logits[0, 0, 0, 2] = -torch.inf
    assert relaxed_cross_entropy(logits, target, 1).isfinite()


@pytest.mark.slow
@pytest.mark.parametrize("strict_classes", [(), (0,), (1, 3)])
@pytest.mark.parametrize("weights", [None, (1.0, 0.5, 2.0, 0.0)])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_gradient(strict_classes, weights, memory_format):
    logits, target = pixels(size=(4, 3))
    logits = logits.detach().to(memory_format=memory_format).requires_grad_()
    weights = None if weights is None else torch.tensor(weights, dtype=torch.float64)

    def loss(image):
        return 3 * relaxed_cross_entropy(image, target, 1, strict_classes, weights)

    assert torch.autograd.gradcheck(loss, logits)


def test_backward_twice():
    logits, target = pixels()
    loss = relaxed_cross_entropy(logits, target, 1)
    first = torch.autograd.grad(loss, logits, retain_graph=True)[0]
    assert torch.equal(torch.autograd.grad(loss, logits)[0], first)


def test_logits_and_target_are_not_changed():
    logits, target = pixels()
    copies = logits.detach().clone(), target.clone()
    relaxed_cross_entropy(logits, target, 1).backward()
    assert torch.equal(logits, copies[0])
    assert torch.equal(target, copies[1])


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float16, 1e-3), (torch.bfloat16, 1e-2)])
def test_precision(dtype, tolerance):
    logits, target = pixels()
    exact = relaxed_cross_entropy(logits, target, 1)
    low = logits.detach().to(dtype).requires_grad_()
    loss = relaxed_cross_entropy(low, target.to(torch.uint8), 1)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss.double(), exact, rtol=tolerance, atol=0)
    gradient = torch.autograd.grad(loss, low)[0]
    assert gradient.dtype == dtype
    expected = torch.autograd.grad(exact, logits)[0]
    assert (gradient.double() - expected).abs().max() <= 4 * tolerance * expected.abs().max()


def test_autocast():
    logits, target = pixels(dtype=torch.float32)
    expected = relaxed_cross_entropy(logits, target, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(relaxed_cross_entropy(logits, target, 1), expected)


def test_half_precision_does_not_overflow():
    logits = torch.zeros(1, 3, 300, 300, dtype=torch.float16)
    logits[:, 2] = 50
    target = torch.arange(300).remainder(2).expand(1, 300, 300)
    assert relaxed_cross_entropy(logits, target, 1).item() == pytest.approx(50 - math.log(2), rel=1e-4)


def test_channels_last_gradient_stays_channels_last():
    logits, target = pixels()
    last = logits.detach().to(memory_format=torch.channels_last).requires_grad_()
    gradient = torch.autograd.grad(relaxed_cross_entropy(last, target, 1), last)[0]
    assert gradient.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(gradient, torch.autograd.grad(relaxed_cross_entropy(logits, target, 1), logits)[0])


def test_no_more_is_kept_for_backward_than_for_cross_entropy():
    """One tensor of the logits' size (what becomes the gradient), and a weight for each pixel."""
    logits, target = torch.randn(1, 19, 64, 64, requires_grad=True), torch.zeros(1, 64, 64, dtype=torch.long)
    target[:, :, 32:] = 1
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.nbytes) or t, lambda t: t):
        relaxed_cross_entropy(logits, target, 1)
    assert sum(kept) <= 1.25 * logits.nbytes


@pytest.mark.parametrize("strict", [False, True])
def test_unknown_class_is_an_error(strict):
    logits, target = pixels()
    with pytest.raises(RuntimeError, match="out of bounds"):
        relaxed_cross_entropy(logits, torch.where(target == 3, 4, target), 1, (4,) if strict else ())


def test_schedule_switches_to_cross_entropy():
    logits, target = pixels()
    loss = create_loss(LossSpec(name="relaxed", relax_radius_px=2, relax_until=0.6))
    assert loss == RelaxedLoss(2, 0.6)
    assert torch.equal(loss(logits, target, 0.59), relaxed_cross_entropy(logits, target, 2))
    for progress in (0.6, 1.0):
        assert torch.equal(loss(logits, target, progress), F.cross_entropy(logits, target, ignore_index=255))


def test_label_smoothing_is_refused():
    with pytest.raises(ConfigError, match=r"recipe.label_smoothing: got 0.1 with loss relaxed; set it to 0"):
        create_loss(LossSpec(name="relaxed"), 0.1)


def test_classification_is_refused():
    with pytest.raises(ConfigError, match="relaxed needs a label for each pixel"):
        create_loss(LossSpec(name="relaxed"))(torch.zeros(2, 3), torch.zeros(2, dtype=torch.long), 0.0)


def test_negative_radius_is_refused():
    logits, target = pixels()
    with pytest.raises(ConfigError, match="relax_radius_px: got -1; use 0 or more"):
        relaxed_cross_entropy(logits, target, -1)


@pytest.mark.parametrize("radius_px", [0, 1])
def test_class_weights_of_another_precision(radius_px):
    logits, target = pixels()
    weights = torch.tensor([1.0, 0.5, 2.0, 0.25])
    expected = relaxed_cross_entropy(logits, target, radius_px, class_weights=weights.double())
    assert torch.equal(relaxed_cross_entropy(logits, target, radius_px, class_weights=weights), expected)
