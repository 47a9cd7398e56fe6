import pytest
import torch
from torch import nn

import borderlab.torchvision_compat  # noqa: F401  isort: skip
from timm.layers.padding import pad_same_arg

from borderlab.padding.geometry import can_pad, resolve_pad


@pytest.mark.parametrize("size", [(1, 2), (7, 8), (32, 33)])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 5), (2, 4)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("dilation", [(1, 1), (3, 2)])
def test_tf_same_pads_as_timm_does(size, kernel, stride, dilation):
    expected = tuple(pad_same_arg(size, kernel, stride, dilation))
    assert resolve_pad("tf_same", size, kernel, stride, dilation) == expected


@pytest.mark.parametrize("kernel", [(3, 2), (4, 5)])
@pytest.mark.parametrize("dilation", [(1, 1), (3, 2)])
def test_same_pads_as_torch_does(kernel, dilation):
    layer = nn.Conv2d(1, 1, kernel, padding="same", dilation=dilation, padding_mode="reflect")
    assert list(resolve_pad("same", (9, 9), kernel, (1, 1), dilation)) == layer._reversed_padding_repeated_twice
    assert layer(torch.rand(1, 1, 12, 12)).shape[-2:] == (12, 12)


def test_fixed_and_absent_padding():
    assert resolve_pad((1, 2), (9, 9), (3, 3), (1, 1), (1, 1)) == (2, 2, 1, 1)
    assert resolve_pad("valid", (9, 9), (3, 3), (1, 1), (1, 1)) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("padding", "kernel", "expected"),
    [
        ((0, 0), (3, 3), False),
        ((0, 1), (1, 3), True),
        ("valid", (3, 3), False),
        ("same", (1, 1), False),
        ("same", (1, 3), True),
        ("tf_same", (2, 2), True),
        ("tf_same", (1, 1), False),
    ],
)
def test_can_pad(padding, kernel, expected):
    assert can_pad(padding, kernel) is expected
