"""Padding on a device: the numbers of double precision, the bits of zeros inside, nothing kept of another device."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import borderlab.torchvision_compat  # noqa: F401  isort: skip
import timm

from borderlab.padding import PADDING_MODES, set_padding_mode

MIB = 2**20
GEOMETRY = ((2, 1), (1, 2, 2, 1), (1, 2), 2)


def arguments(device, dtype, with_bias=True):
    """Image, weight and bias that are equal, up to rounding, on every device and in every type."""
    generator = torch.Generator().manual_seed(3)
    shapes = ((2, 4, 8, 9), (6, 2, 3, 3), (6,))
    values = [torch.randn(shape, generator=generator).to(device, dtype).requires_grad_() for shape in shapes]
    return values if with_bias else [*values[:2], None]


def outcome(mode, *tensors):
    """Output and gradients, in double precision on the CPU."""
    y = PADDING_MODES[mode](*tensors, *GEOMETRY)
    y.square().sum().backward()
    return [value.detach().double().cpu() for value in (y, *(own.grad for own in tensors if own is not None))]


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("mode", sorted(PADDING_MODES))
def test_single_precision_is_double_precision_within_rounding(mode, with_bias, device):
    expected = outcome(mode, *arguments("cpu", torch.float64, with_bias))
    found = outcome(mode, *arguments(device, torch.float32, with_bias))
    # A fitted model feels the rounding of its sums of squares.
    tolerance = 3e-5 if mode == "linear_prediction" else 1e-6
    for ours, exact in zip(found, expected, strict=True):
        assert (ours - exact).abs().max() <= tolerance * exact.abs().max()


@pytest.mark.parametrize("mode", sorted(PADDING_MODES))
def test_bfloat16_in_channels_last_keeps_both(mode, device):
    torch.manual_seed(0)
    layer = nn.Conv2d(4, 8, 3, padding=1).to(device, memory_format=torch.channels_last)
    set_padding_mode(layer, mode)
    layer.eval()
    x = torch.randn(2, 4, 9, 10, device=device).to(memory_format=torch.channels_last)
    exact = layer(x)
    with torch.autocast(device.type, torch.bfloat16):
        y = layer(x)
    assert y.dtype == torch.bfloat16
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert (y - exact).abs().max() <= 3e-2 * exact.abs().max()


@pytest.mark.parametrize("pad", [(1, 1, 1, 1), (0, 1, 0, 1)])
@pytest.mark.parametrize("mode", sorted(PADDING_MODES))
def test_depthwise_layers_keep_channels_last(mode, pad, device):
    """Their weight has no format of its own: what padding loses is lost to the rest of the network."""
    x = torch.randn(2, 4, 9, 10, device=device).to(memory_format=torch.channels_last)
    y = PADDING_MODES[mode](x, torch.randn(4, 1, 3, 3, device=device), None, (2, 2), pad, (1, 1), 4)
    assert y.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("with_bias", [True, False])
def test_inside_partial_padding_has_the_bits_of_zeros(with_bias, dtype, device):
    x, weight, bias = arguments(device, dtype, with_bias)
    y = PADDING_MODES["partial"](x, weight, bias, (1, 1), (1, 1, 1, 1), (1, 1), 2)
    assert torch.equal(y[..., 1:-1, 1:-1], F.conv2d(x, weight, bias, padding=1, groups=2)[..., 1:-1, 1:-1])


def test_a_layer_that_moves_takes_no_ratio_along(device):
    torch.manual_seed(0)
    layer, x = nn.Conv2d(2, 3, 3, padding=1), torch.randn(1, 2, 5, 5)
    set_padding_mode(layer, "partial")
    expected = copy.deepcopy(layer)(x)
    moved = layer.to(device)(x.to(device))
    assert moved.device.type == device.type
    torch.testing.assert_close(moved.cpu(), expected, rtol=1e-5, atol=1e-5)
    assert torch.equal(layer.cpu()(x), expected)


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv3_large_100", "vgg11_bn"])
def test_training_holds_a_mebibyte_more_at_most(name, gpu):
    held = {}
    x = torch.randn(8, 3, 128, 128, device=gpu).to(memory_format=torch.channels_last)
    model = timm.create_model(name, num_classes=10).to(gpu, memory_format=torch.channels_last)
    for mode in ("zeros", "partial"):
        set_padding_mode(model, mode)
        with torch.autocast("cuda", torch.bfloat16):
            model(x)  # ratios and workspaces are made here, once
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        with torch.autocast("cuda", torch.bfloat16):
            y = model(x)
        held[mode] = torch.cuda.memory_allocated() - before
        del y
    assert held["partial"] - held["zeros"] <= MIB, held


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["partial", "reflect"])
def test_one_compiled_graph_for_several_sizes(mode, gpu):
    torch._dynamo.reset()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 5, 2, 2, bias=False)).to(gpu)
    set_padding_mode(model, mode)
    compiled = torch.compile(model, fullgraph=True, dynamic=True)
    for size in ((12, 11), (9, 20), (33, 7)):
        x = torch.randn(2, 3, *size, device=gpu)
        torch.testing.assert_close(compiled(x), model(x), rtol=1e-4, atol=1e-4)
