"""The faster gradient of dilated depthwise convolutions: torch's own gradient, from any layer and padding mode."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from borderlab.padding import set_padding_mode
from borderlab.training import depthwise
from borderlab.training.depthwise import fast_depthwise

CPU = torch.device("cpu")
CHANNELS = 6


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with each convolution that takes the faster way."""
    calls: list[int] = []
    plain = depthwise._DilatedDepthwise.apply

    def counted(*arguments: Any) -> Any:
        calls.append(1)
        return plain(*arguments)

    monkeypatch.setattr(depthwise._DilatedDepthwise, "apply", counted)
    return calls


def gradients(layer: nn.Module, image: Tensor, *, fast: bool) -> list[Tensor]:
    """Output, and the gradients of the image and of each parameter."""
    layer.zero_grad()
    image = image.clone().requires_grad_()
    if fast:
        with fast_depthwise(CPU):
            out = layer(image)
    else:
        out = layer(image)
    (out * torch.arange(out.numel(), dtype=out.dtype).view(out.shape).sin()).sum().backward()
    found = [image.grad, *(parameter.grad for parameter in layer.parameters())]
    return [out.detach(), *(gradient for gradient in found if gradient is not None)]


@pytest.mark.parametrize(
    ("kernel", "dilation", "padding", "bias"),
    [
        ((5, 5), (2, 2), (4, 4), False),
        ((3, 3), (2, 2), (2, 2), True),
        ((3, 5), (3, 2), (0, 1), True),
        ((3, 3), (1, 4), (2, 8), False),
    ],
)
@pytest.mark.parametrize("channels_last", [False, True])
def test_equals_torch(
    kernel: Any, dilation: Any, padding: Any, bias: bool, channels_last: bool, taken: list[int]
) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(
        CHANNELS, CHANNELS, kernel, padding=padding, dilation=dilation, groups=CHANNELS, bias=bias
    ).double()
    image = torch.randn(3, CHANNELS, 11, 14, dtype=torch.float64)
    if channels_last:
        image = image.contiguous(memory_format=torch.channels_last)
    expected = gradients(layer, image, fast=False)
    assert not taken
    found = gradients(layer, image, fast=True)
    assert taken == [1]
    assert torch.equal(found[0], expected[0])
    assert len(found) == len(expected) == 3 + bias
    for own, other in zip(found, expected, strict=True):
        torch.testing.assert_close(own, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("mode", ["partial", "reflect", "replicate"])
def test_reaches_every_padding_mode(mode: str, taken: list[int]) -> None:
    layer = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=2, dilation=2, groups=CHANNELS).double()
    set_padding_mode(layer, mode)
    image = torch.randn(2, CHANNELS, 9, 10, dtype=torch.float64)
    expected, found = (gradients(layer, image, fast=fast) for fast in (False, True))
    assert taken == [1]
    for own, other in zip(found, expected, strict=True):
        torch.testing.assert_close(own, other, rtol=1e-12, atol=1e-12)


def test_gradient_against_differences() -> None:
    weight = torch.randn(2, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(2, dtype=torch.float64, requires_grad=True)
    image = torch.randn(1, 2, 6, 5, dtype=torch.float64, requires_grad=True)
    with fast_depthwise(CPU):
        assert torch.autograd.gradcheck(
            lambda *each: torch.conv2d(*each, padding=2, dilation=2, groups=2), (image, weight, bias)
        )


@pytest.mark.parametrize(
    "settings",
    [
        {"groups": 1, "dilation": 2},
        {"groups": CHANNELS, "dilation": 1},
        {"groups": CHANNELS, "dilation": 2, "stride": 2},
        {"groups": CHANNELS, "dilation": 2, "padding": 9},
        {"groups": CHANNELS, "dilation": 2, "padding": "same"},
    ],
    ids=str,
)
def test_leaves_other_convolutions(settings: dict[str, Any], taken: list[int]) -> None:
    layer = nn.Conv2d(CHANNELS, CHANNELS, 3, **settings)
    image = torch.randn(2, CHANNELS, 12, 12)
    for own, other in zip(*(gradients(layer, image, fast=fast) for fast in (True, False)), strict=True):
        assert torch.equal(own, other)
    assert not taken


def test_leaves_evaluation_and_reduced_precision(taken: list[int]) -> None:
    layer = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=2, dilation=2, groups=CHANNELS)
    image = torch.randn(1, CHANNELS, 8, 8)
    with fast_depthwise(CPU), torch.no_grad():
        layer(image)
    with fast_depthwise(CPU), torch.autocast("cpu", torch.bfloat16):
        assert layer(image).dtype == torch.bfloat16
    assert not taken


@pytest.mark.parametrize(("device", "n_taken"), [("cpu", 1), ("cuda", 0)])
def test_is_for_cpus_alone(device: str, n_taken: int, taken: list[int]) -> None:
    layer = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=2, dilation=2, groups=CHANNELS)
    with fast_depthwise(torch.device(device)):
        layer(torch.randn(1, CHANNELS, 8, 8))
    assert len(taken) == n_taken
