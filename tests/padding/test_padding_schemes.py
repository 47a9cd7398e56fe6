"""One contract for every registered scheme."""

import pytest
import torch

from borderlab.errors import PaddingError
from borderlab.padding import PADDING_MODES
from borderlab.padding.base import Filling
from padding_traits import modes_with

GEOMETRY = ((2, 1), (1, 2, 2, 1), (1, 2), 2)
SOME_PADS = [(1, 2, 2, 1), (0, 1, 0, 1), (1, 0, 0, 0), (0, 0, 1, 1)]


@pytest.fixture(params=sorted(PADDING_MODES))
def scheme(request):
    return PADDING_MODES[request.param]


def arguments(dtype=torch.float32, requires_grad=False):
    generator = torch.Generator().manual_seed(3)
    shapes = ((2, 4, 8, 9), (6, 2, 3, 3), (6,))
    values = [torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype) for shape in shapes]
    return [value.requires_grad_(requires_grad) for value in values]


@pytest.mark.slow
@pytest.mark.parametrize("mode", modes_with("gradient_of_padding"))
def test_gradients(mode):
    scheme = PADDING_MODES[mode]
    assert torch.autograd.gradcheck(lambda *tensors: scheme(*tensors, *GEOMETRY), arguments(torch.float64, True))


@pytest.mark.slow
def test_gradients_of_weight_and_bias(scheme):
    x, weight, bias = arguments(torch.float64, True)
    assert torch.autograd.gradcheck(lambda *tensors: scheme(x.detach(), *tensors, *GEOMETRY), (weight, bias))


@pytest.mark.slow
def test_forward_mode_and_second_derivatives(scheme):
    x, weight, bias = arguments(torch.float64, True)
    assert torch.autograd.gradgradcheck(lambda w, b: scheme(x[:1, :, :5, :5], w, b, *GEOMETRY), (weight, bias))
    torch.func.jvp(lambda image: scheme(image, weight, bias, *GEOMETRY), (x,), (x,))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 2e-3), (torch.bfloat16, 2e-2)])
def test_half_precision(scheme, dtype, tolerance):
    tensors = arguments(dtype)
    exact = scheme(*(tensor.double() for tensor in tensors), *GEOMETRY)
    y = scheme(*tensors, *GEOMETRY)
    assert y.dtype == dtype
    assert (y.double() - exact).abs().max() <= tolerance * exact.abs().max()


def test_autocast_and_single_precision_take_turns(scheme):
    tensors = arguments()
    before = scheme(*tensors, *GEOMETRY)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert scheme(*tensors, *GEOMETRY).dtype == torch.bfloat16
    assert torch.equal(scheme(*tensors, *GEOMETRY), before)


@pytest.mark.parametrize("pad", SOME_PADS)
def test_channels_last_stays_channels_last(scheme, pad):
    """Also with one input channel a group: such a weight has no format that would set an image's right again."""
    x, weight, bias = arguments()
    geometry = ((2, 1), pad, (1, 2))
    for w, groups in ((weight, 2), (weight[:, :1].repeat(2, 1, 1, 1)[:8], 4)):
        b = bias.repeat(2)[: len(w)]
        y = scheme(x.to(memory_format=torch.channels_last), w, b, *geometry, groups)
        assert y.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(y, scheme(x, w, b, *geometry, groups))


FILLED = sorted(mode for mode, scheme in PADDING_MODES.items() if isinstance(scheme, Filling))


@pytest.mark.parametrize("pad", SOME_PADS)
@pytest.mark.parametrize("mode", FILLED)
def test_filled_images_stay_channels_last_where_torch_loses_it(mode, pad):
    """torch's reflect and replicate give channels-first memory on its meta device whatever they get, as on CUDA."""
    x = torch.empty(2, 4, 8, 9, device="meta", memory_format=torch.channels_last)
    y = PADDING_MODES[mode].fill(x, pad)
    assert y.device.type == "meta"
    assert y.is_contiguous(memory_format=torch.channels_last)


def test_empty_batch(scheme):
    x, weight, bias = arguments()
    assert scheme(x[:0], weight, bias, *GEOMETRY).shape[:2] == (0, 6)


def test_input_is_not_changed(scheme):
    tensors = arguments()
    copies = [tensor.clone() for tensor in tensors]
    scheme(*tensors, *GEOMETRY)
    assert all(torch.equal(tensor, copy) for tensor, copy in zip(tensors, copies, strict=True))


def test_no_padding_is_a_plain_convolution(scheme):
    x, weight, bias = arguments()
    y = scheme(x, weight, bias, (2, 1), (0, 0, 0, 0), (1, 2), 2)
    assert torch.equal(y, torch.nn.functional.conv2d(x, weight, bias, (2, 1), 0, (1, 2), 2))


@pytest.mark.parametrize(("mode", "largest"), [("reflect", 3), ("circular", 4), ("symmetric", 4)])
def test_pad_larger_than_the_map_is_refused(mode, largest):
    x, weight = torch.randn(1, 1, 9, 4), torch.randn(1, 1, 1, 9)
    for pad in ((largest, largest + 1, 0, 0), (0, 0, 9, 9 + (mode != "reflect"))):
        with pytest.raises(PaddingError, match=rf"{mode} padding must be .* the map: .*9x4 px"):
            PADDING_MODES[mode](x, weight, None, (1, 1), pad, (1, 1), 1)
    assert PADDING_MODES[mode](x, weight, None, (1, 1), (largest, largest, 0, 0), (1, 1), 1).shape[-1] > 0
