"""Every scheme against its definition read literally: a loop over windows and taps in NumPy float64."""

import numpy as np
import pytest
import torch
from torch import nn

import borderlab.torchvision_compat  # noqa: F401
from borderlab.padding import PADDING_MODES, coverage_ratio, set_padding_mode


def source_index(mode, index, length):
    """Where a tap at `index` reads along one axis; None if it reads nothing."""
    if 0 <= index < length:
        return index
    if mode == "reflect":
        return -index if index < 0 else 2 * (length - 1) - index
    if mode == "replicate":
        return 0 if index < 0 else length - 1
    if mode == "circular":
        return index + length if index < 0 else index - length
    return None


def literal_conv2d(mode, x, weight, bias, stride, pad, dilation, groups):
    n, _, h, w = x.shape
    c_out, c_group, k_h, k_w = weight.shape
    left, right, top, bottom = pad
    h_out = (h + top + bottom - dilation[0] * (k_h - 1) - 1) // stride[0] + 1
    w_out = (w + left + right - dilation[1] * (k_w - 1) - 1) // stride[1] + 1
    out = np.zeros((n, c_out, h_out, w_out))
    for i in range(h_out):
        for j in range(w_out):
            covered = 0
            total = np.zeros((n, c_out))
            for a in range(k_h):
                for b in range(k_w):
                    row = source_index(mode, i * stride[0] - top + a * dilation[0], h)
                    column = source_index(mode, j * stride[1] - left + b * dilation[1], w)
                    if row is None or column is None:
                        continue
                    covered += 1
                    for o in range(c_out):
                        first = o // (c_out // groups) * c_group
                        total[:, o] += x[:, first : first + c_group, row, column] @ weight[o, :, a, b]
            if mode == "partial":
                total = total * (k_h * k_w / covered)
            out[:, :, i, j] = total + (0 if bias is None else bias)
    return out


GEOMETRIES = {
    "plain": ((6, 7), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1, 4),
    "stem": ((9, 10), (7, 7), (2, 2), (3, 3, 3, 3), (1, 1), 1, 4),
    "tf_same": ((8, 6), (3, 3), (2, 2), (0, 1, 0, 1), (1, 1), 1, 4),
    "dilated": ((7, 8), (3, 3), (1, 1), (2, 2, 2, 2), (2, 2), 1, 4),
    "depthwise": ((6, 6), (5, 3), (1, 2), (1, 1, 2, 2), (1, 1), 4, 4),
    "grouped_even": ((5, 6), (2, 4), (2, 1), (2, 1, 1, 0), (1, 1), 2, 6),
}


@pytest.mark.parametrize("mode", sorted(PADDING_MODES))
@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
@pytest.mark.parametrize("with_bias", [False, True])
def test_scheme_equals_its_definition(mode, geometry, with_bias):
    size, kernel, stride, pad, dilation, groups, c_out = geometry
    random = np.random.default_rng(7)
    x, weight = random.normal(size=(2, 4, *size)), random.normal(size=(c_out, 4 // groups, *kernel))
    bias = random.normal(size=c_out) if with_bias else None
    expected = literal_conv2d(mode, x, weight, bias, stride, pad, dilation, groups)
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-6)):
        tensors = [None if value is None else torch.from_numpy(value).to(dtype) for value in (x, weight, bias)]
        measured = PADDING_MODES[mode](*tensors, stride, pad, dilation, groups).double().numpy()
        assert np.abs(measured - expected).max() <= tolerance * np.abs(expected).max()


@pytest.mark.parametrize("padding", [1, (2, 1), "same"])
@pytest.mark.parametrize("mode", sorted(PADDING_MODES))
def test_converted_layer_equals_definition(mode, padding):
    layer = nn.Conv2d(2, 3, (4, 3), padding=padding, dilation=(1, 2)).double()
    pad = {1: (1, 1, 1, 1), (2, 1): (1, 1, 2, 2), "same": (2, 2, 1, 2)}[padding]
    set_padding_mode(layer, mode)
    x = torch.randn(1, 2, 7, 8, dtype=torch.float64)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    expected = literal_conv2d(mode, x.numpy(), weight, bias, (1, 1), pad, (1, 2), 1)
    np.testing.assert_allclose(layer(x).detach().numpy(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 1), (3, 2, 1), (7, 2, 3), (5, 3, 2), (2, 2, 1)])
def test_partial_with_flat_kernel_is_average_pooling_without_padding(kernel, stride, padding):
    x = torch.rand(2, 1, 13, 11, dtype=torch.float64)
    weight = torch.full((1, 1, kernel, kernel), kernel**-2, dtype=torch.float64)
    oracle = nn.AvgPool2d(kernel, stride, padding, count_include_pad=False)
    pad = (padding,) * 4
    measured = PADDING_MODES["partial"](x, weight, None, (stride, stride), pad, (1, 1), 1)
    torch.testing.assert_close(measured, oracle(x), rtol=1e-13, atol=0)


@pytest.mark.parametrize("size", [(5, 9), (12, 3)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 3), (5, 1)])
def test_coverage_ratio_counts_taps(size, dilation):
    kernel, stride = (3, 5), (2, 1)
    pad = (2 * dilation[1], 2 * dilation[1], dilation[0], dilation[0])
    image = np.pad(np.ones(size), ((pad[2], pad[3]), (pad[0], pad[1])))
    ratio = coverage_ratio(size, kernel, stride, pad, dilation)[0, 0]
    for i in range(ratio.shape[0]):
        for j in range(ratio.shape[1]):
            top, left = i * stride[0], j * stride[1]
            taps = image[top : top + 2 * dilation[0] + 1 : dilation[0], left : left + 4 * dilation[1] + 1 : dilation[1]]
            assert ratio[i, j].item() == np.float32(15 / taps.sum())
