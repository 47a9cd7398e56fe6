"""What must hold for any image, kernel and geometry."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from borderlab.padding import PADDING_MODES, coverage_ratio
from padding_traits import modes_with

MODES = sorted(PADDING_MODES)
axis = st.tuples(st.integers(7, 14), st.integers(1, 5), st.integers(1, 3), st.integers(1, 2))


@st.composite
def geometries(draw):
    """Sizes, kernels, strides, pads and dilations for which every scheme works."""
    (h, k_h, s_h, d_h), (w, k_w, s_w, d_w) = draw(axis), draw(axis)
    reach = {"w": min(w - 1, d_w * (k_w - 1)), "h": min(h - 1, d_h * (k_h - 1))}
    pad = tuple(draw(st.integers(0, min(3, reach[side]))) for side in "wwhh")
    assume(w + pad[0] + pad[1] > d_w * (k_w - 1) and h + pad[2] + pad[3] > d_h * (k_h - 1))
    return (h, w), (k_h, k_w), (s_h, s_w), pad, (d_h, d_w)


def convolve(mode, x, weight, bias, geometry):
    _, _, stride, pad, dilation = geometry
    return PADDING_MODES[mode](x, weight, bias, stride, pad, dilation, 1)


def tensors(geometry, seed, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    size, kernel = geometry[:2]
    shapes = ((2, 2, *size), (3, 2, *kernel), (3,))
    return [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes]


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(geometries(), st.integers(0, 2**31))
def test_interior_does_not_depend_on_the_padding(geometry, seed):
    x, weight, bias = tensors(geometry, seed)
    inside = (coverage_ratio(*geometry) == 1).expand(2, 3, -1, -1)
    zeros = convolve("zeros", x, weight, bias, geometry)
    for mode in MODES:
        torch.testing.assert_close(convolve(mode, x, weight, bias, geometry)[inside], zeros[inside])


@settings(max_examples=40, deadline=None)
@given(geometries(), st.floats(-3, 3))
def test_flat_kernel_on_a_constant_image_leaves_no_border(geometry, value):
    size, kernel = geometry[:2]
    x = torch.full((1, 1, *size), value, dtype=torch.float64)
    weight = torch.full((1, 1, *kernel), 1 / (kernel[0] * kernel[1]), dtype=torch.float64)
    y = convolve("partial", x, weight, None, geometry)
    torch.testing.assert_close(y, torch.full_like(y, value), rtol=1e-12, atol=1e-14)


@settings(max_examples=40, deadline=None)
@given(geometries())
def test_ratio_is_at_least_one_and_a_product_of_axes(geometry):
    ratio = coverage_ratio(*geometry, torch.float64)[0, 0]
    assert ratio.min() >= 1
    torch.testing.assert_close(ratio * ratio.min(), ratio.amin(1)[:, None] * ratio.amin(0)[None], rtol=1e-14, atol=0)


@settings(max_examples=30, deadline=None)
@given(st.integers(5, 9), st.integers(5, 9), st.integers(-4, 4), st.integers(-4, 4), st.integers(0, 2**31))
def test_circular_convolution_commutes_with_roll(height, width, down, right, seed):
    geometry = ((height, width), (3, 5), (1, 1), (2, 2, 1, 1), (1, 1))
    x, weight, bias = tensors(geometry, seed)
    rolled = convolve("circular", x.roll((down, right), (2, 3)), weight, bias, geometry)
    torch.testing.assert_close(rolled, convolve("circular", x, weight, bias, geometry).roll((down, right), (2, 3)))


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=15, deadline=None)
@given(geometry=geometries(), seed=st.integers(0, 2**31))
def test_batch_equals_its_images_one_by_one(mode, geometry, seed):
    x, weight, bias = tensors(geometry, seed)
    batch = convolve(mode, x, weight, bias, geometry)
    for image, expected in zip(x, batch, strict=True):
        torch.testing.assert_close(convolve(mode, image[None], weight, bias, geometry)[0], expected)
        torch.testing.assert_close(convolve(mode, image, weight, bias, geometry), expected)


@pytest.mark.parametrize("mode", modes_with("linear"))
@settings(max_examples=15, deadline=None)
@given(geometry=geometries(), seed=st.integers(0, 2**31))
def test_scheme_is_linear_in_the_image(mode, geometry, seed):
    x, weight, _ = tensors(geometry, seed)
    other = x.flip(0)
    separate = 2 * convolve(mode, x, weight, None, geometry) - convolve(mode, other, weight, None, geometry)
    torch.testing.assert_close(convolve(mode, 2 * x - other, weight, None, geometry), separate)
