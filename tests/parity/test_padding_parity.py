"""Every scheme against its definition read literally: a loop over windows and taps in NumPy float64."""

import numpy as np
import pytest
import torch
from tests.parity.literal_padding import literal_conv2d, peripheral_prediction
from torch import nn

import borderlab.torchvision_compat  # noqa: F401
from borderlab.padding import PADDING_MODES, coverage_ratio, set_padding_mode
from borderlab.padding.pp_pad import pp_pad_fill
from borderlab.padding.random import random_half_fill

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
    # A fitted model feels the rounding of its sums of squares.
    factor = 30 if mode == "linear_prediction" else 1
    for dtype, tolerance in ((torch.float64, factor * 1e-12), (torch.float32, factor * 1e-6)):
        tensors = [None if value is None else torch.from_numpy(value).to(dtype) for value in (x, weight, bias)]
        measured = PADDING_MODES[mode](*tensors, stride, pad, dilation, groups).double().numpy()
        assert np.abs(measured - expected).max() <= tolerance * np.abs(expected).max()


@pytest.mark.parametrize("padding", [1, (2, 1), "same"])
@pytest.mark.parametrize("mode", sorted(PADDING_MODES))
def test_converted_layer_equals_definition(mode, padding):
    layer = nn.Conv2d(2, 3, (4, 3), padding=padding, dilation=(1, 2)).double().eval()
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


@pytest.mark.parametrize("pad", [(1, 1, 1, 1), (3, 0, 1, 2), (0, 2, 0, 0), (0, 0, 4, 1)])
def test_trained_networks_predict_as_defined(pad):
    """The networks of `pp_pad` away from their start, against loops over pixels."""
    torch.manual_seed(0)
    networks = [torch.randn(4, *shape, dtype=torch.float64) / 3 for shape in ((8, 6), (8,), (1, 8), (1,))]
    x = torch.randn(2, 3, 5, 6, dtype=torch.float64)
    measured = pp_pad_fill(tuple(networks), x, pad)
    arrays = [network.numpy() for network in networks]
    for image, padded in zip(x.numpy(), measured.numpy(), strict=True):
        for channel, expected in zip(image, padded, strict=True):
            np.testing.assert_allclose(expected, peripheral_prediction(channel, pad, arrays), rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_random_sides_are_one_of_four_shifts(seed):
    """All zeros of an axis lie on one side: NumPy pads each combination, and the scheme gives one of them."""
    torch.manual_seed(seed)
    x = torch.randn(2, 3, 5, 6)
    measured = random_half_fill(x, (2, 1, 1, 0)).numpy()
    shifts = [np.pad(x, ((0, 0), (0, 0), rows, columns)) for rows in ((1, 0), (0, 1)) for columns in ((3, 0), (0, 3))]
    assert [np.array_equal(measured, shift) for shift in shifts].count(True) == 1
