import pytest
import torch
import torch.nn.functional as F

from borderlab.losses import create_loss
from borderlab.losses.cross_entropy import mean_cross_entropy
from borderlab.spec import LossSpec

SPEC = LossSpec()


def pixels(seed=0, n=3, c=5, size=(6, 7)):
    generator = torch.Generator().manual_seed(seed)
    target = torch.randint(0, c, (n, *size), generator=generator)
    target[torch.rand(target.shape, generator=generator) < 0.2] = 255
    return torch.randn(n, c, *size, generator=generator, requires_grad=True), target


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_equals_torch_on_pixels(label_smoothing):
    logits, target = pixels()
    expected = F.cross_entropy(logits, target, ignore_index=255, label_smoothing=label_smoothing)
    loss = create_loss(SPEC, label_smoothing)(logits, target, 0.5)
    torch.testing.assert_close(loss, expected, rtol=1e-6, atol=0)
    measured = torch.autograd.grad(loss, logits)[0]
    torch.testing.assert_close(measured, torch.autograd.grad(expected, logits)[0], rtol=1e-5, atol=1e-9)


def test_equals_torch_exactly_without_smoothing():
    logits, target = pixels()
    assert torch.equal(create_loss(SPEC)(logits, target, 0.0), F.cross_entropy(logits, target, ignore_index=255))


def test_equals_torch_with_class_weights():
    logits, target = pixels()
    weights = torch.tensor([1.0, 0.0, 2.0, 0.5, 3.0])
    expected = F.cross_entropy(logits, target, weights, ignore_index=255)
    torch.testing.assert_close(mean_cross_entropy(logits, target, weights), expected)


def test_class_255_of_a_classification_set_counts():
    logits, target = torch.randn(4, 300), torch.tensor([255, 3, 255, 299])
    expected = F.cross_entropy(logits, target)
    assert torch.equal(create_loss(SPEC)(logits, target, 0.0), expected)


def test_uint8_target():
    logits, target = pixels()
    loss = create_loss(SPEC)
    assert torch.equal(loss(logits, target.to(torch.uint8), 0.0), loss(logits, target, 0.0))


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
def test_channels_last_gives_the_same(label_smoothing):
    logits, target = pixels()
    loss = create_loss(SPEC, label_smoothing)
    last = logits.detach().to(memory_format=torch.channels_last).requires_grad_()
    torch.testing.assert_close(loss(last, target, 0.0), loss(logits, target, 0.0))
    gradients = [torch.autograd.grad(loss(image, target, 0.0), image)[0] for image in (last, logits)]
    torch.testing.assert_close(*gradients)
    assert gradients[0].is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("weights", [None, torch.ones(5)])
def test_nothing_labelled_gives_zero_and_no_gradient(weights):
    logits, target = pixels()
    loss = mean_cross_entropy(logits, torch.full_like(target, 255), weights)
    assert loss == 0
    assert torch.autograd.grad(loss, logits)[0].abs().sum() == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_does_not_overflow(dtype):
    logits = torch.zeros(2, 2, 300, 300, dtype=dtype)
    logits[:, 0] = 10
    loss = create_loss(SPEC)(logits, torch.ones(2, 300, 300, dtype=torch.long), 0.0)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss.item(), 10.0, rtol=1e-3, atol=0)


def test_unknown_class_is_an_error():
    logits, target = pixels()
    with pytest.raises(IndexError, match="out of bounds"):
        mean_cross_entropy(logits, torch.where(target == 4, 5, target))
