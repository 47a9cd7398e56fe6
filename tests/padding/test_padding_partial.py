"""Partial padding, and each known defect of the published code as a test that ours passes."""

import copy
import gc
import weakref

import pytest
import torch
from torch import nn

import borderlab.torchvision_compat  # noqa: F401  isort: skip
import timm

import borderlab.padding.partial as module
from borderlab.errors import PaddingError
from borderlab.padding import coverage_ratio, partial_conv2d, set_padding_mode
from borderlab.padding.partial import _CACHED_RATIOS, _cached_ratio


@pytest.fixture(autouse=True)
def _empty_cache():
    _cached_ratio.cache_clear()


@pytest.fixture
def layer():
    torch.manual_seed(0)
    layer = nn.Conv2d(2, 3, 3, padding=1)
    set_padding_mode(layer, "partial")
    return layer


def image(*size):
    return torch.randn(2, 2, *size, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_defect_a_a_window_without_pixels_is_refused_and_never_nan(dtype):
    layer = nn.Conv2d(1, 1, 1, padding=1).to(dtype)
    set_padding_mode(layer, "partial")
    with pytest.raises(PaddingError, match="window 0 of 6 sees no image pixel"):
        layer(torch.ones(1, 1, 4, 4, dtype=dtype))


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pad", "dilation", "window"),
    [
        (4, 3, 1, (3, 0), 1, "0 of 5"),
        (4, 3, 1, (0, 3), 1, "4 of 5"),
        (2, 2, 1, (4, 4), 5, "1 of 5"),  # taps -4 and 1 see; taps -3 and 2 do not
        (2, 3, 1, (8, 8), 5, "0 of 8"),  # taps -8, -3 and 2
    ],
)
def test_windows_before_behind_and_astride_the_image_are_refused(size, kernel, stride, pad, dilation, window):
    with pytest.raises(PaddingError, match=f"window {window} sees no image pixel"):
        coverage_ratio((9, size), (1, kernel), (1, stride), (*pad, 0, 0), (1, dilation))


def test_window_larger_than_the_padded_image_is_refused():
    with pytest.raises(PaddingError, match="no window of 7 px fits into 4 px"):
        coverage_ratio((4, 9), (7, 3), (1, 1), (1, 1, 1, 1), (1, 1))


def test_defect_b_precision_can_change_at_one_shape(layer):
    single = layer(image(5, 5))
    assert layer.bfloat16()(image(5, 5).bfloat16()).dtype == torch.bfloat16
    layer.float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        layer(image(6, 6))
    assert layer(image(6, 6)).dtype == torch.float32
    torch.testing.assert_close(layer(image(5, 5)), single, rtol=2e-2, atol=2e-2)


def test_defect_b_ratio_of_single_precision_is_exact_after_autocast():
    arguments = ((7, 7), (7, 7), (2, 2), (3, 3, 3, 3), (1, 1))
    x, weight = torch.ones(1, 1, 7, 7), torch.ones(1, 1, 7, 7)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        partial_conv2d(x, weight, None, *arguments[2:], 1)
    y = partial_conv2d(x, weight, None, *arguments[2:], 1)
    torch.testing.assert_close(y, torch.full_like(y, 49), rtol=1e-6, atol=0)


def test_defect_c_replicas_of_data_parallel_share_the_cache(layer):
    expected = layer(image(5, 5))
    replica = layer._replicate_for_data_parallel()
    replica.weight, replica.bias = layer.weight, layer.bias
    assert torch.equal(replica(image(5, 5)), expected)
    assert _cached_ratio.cache_info()[:2] == (1, 1)


def test_defect_d_training_after_inference_mode(layer):
    with torch.inference_mode():
        layer(image(5, 5))
    layer(image(5, 5)).sum().backward()
    assert layer.weight.grad.isfinite().all()


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_defect_e_other_modes_have_no_ratio(layer, mode):
    native = nn.Conv2d(2, 3, 3, padding=1, padding_mode=mode)
    native.load_state_dict(layer.state_dict())
    set_padding_mode(layer, mode)
    torch.testing.assert_close(layer(image(5, 5)), native(image(5, 5)))


def test_defect_f_single_image_without_batch_axis(layer):
    torch.testing.assert_close(layer(image(5, 6)[0]), layer(image(5, 6))[0])


def test_defect_g_a_stale_ratio_after_batch_or_size_changes(layer):
    for size in ((5, 5), (7, 4), (5, 5)):
        for n in (1, 2):
            fresh = copy.deepcopy(layer)
            assert torch.equal(layer(image(*size)[:n]), fresh(image(*size)[:n]))


def test_nothing_is_stored_on_the_layer(layer):
    before = dict(vars(layer))
    layer(image(5, 5))
    assert vars(layer) == before
    assert not any(isinstance(value, torch.Tensor) for value in vars(layer).values())


def test_interior_has_the_bits_of_zero_padding():
    x, weight, bias = image(9, 9), torch.randn(4, 2, 3, 3), torch.randn(4)
    partial = partial_conv2d(x, weight, bias, (1, 1), (1, 1, 1, 1), (1, 1), 1)
    assert torch.equal(partial[..., 1:-1, 1:-1], nn.functional.conv2d(x, weight, bias, padding=1)[..., 1:-1, 1:-1])


def test_cache_is_bounded_and_used(layer):
    for size in range(3, 3 + _CACHED_RATIOS + 5):
        layer(image(size, 3))
    assert _cached_ratio.cache_info().currsize == _CACHED_RATIOS
    layer(image(size, 3))
    assert _cached_ratio.cache_info().hits == 1


def test_cache_holds_no_tensor_of_a_transform(layer):
    def loss(parameters):
        return torch.func.functional_call(layer, parameters, image(5, 5)).sum()

    torch.func.grad(loss)(dict(layer.named_parameters()))
    layer(image(5, 5)).sum().backward()
    arguments = ((5, 5), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), torch.float32, torch.device("cpu"))
    assert torch.equal(_cached_ratio(*arguments), coverage_ratio(*arguments)[0, 0])
    assert "GradTrackingTensor" not in repr(_cached_ratio(*arguments))
    assert _cached_ratio.cache_info().hits == 3


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_only_the_ratio_is_kept_for_backward(device, monkeypatch):
    """Zeros keep x and the weight; in-place scaling must add one map without batch or channels, not another y.

    `device` is the kind on which the bias is added apart: "cpu" takes that way here, "cuda" the other one.
    """
    monkeypatch.setattr(module, "_BIAS_ADDED_APART", {device})
    kept = []
    x, weight = torch.randn(2, 4, 8, 8, requires_grad=True), torch.randn(16, 4, 3, 3, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        partial_conv2d(x, weight, torch.randn(16, requires_grad=True), (1, 1), (1, 1, 1, 1), (1, 1), 1)
    assert sum(kept) <= x.numel() + weight.numel() + 2 * 8 * 8


def bytes_for_backward(model, x):
    """Bytes of all storages that a training step keeps for its gradients."""
    kept = {}

    def keep(tensor):
        # Held, so that no later storage can have the same address.
        kept[tensor.untyped_storage()._cdata] = tensor.untyped_storage()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(x)
    return sum(storage.nbytes() for storage in kept.values())


@pytest.mark.slow
@pytest.mark.parametrize("way", [frozenset(), frozenset({"meta"})], ids=["bias within", "bias apart"])
@pytest.mark.parametrize("name", ["resnet50", "vgg16_bn", "mobilenetv3_large_100", "convnext_tiny"])
def test_a_training_step_keeps_a_mebibyte_more_at_most(name, way, monkeypatch):
    monkeypatch.setattr(module, "_BIAS_ADDED_APART", way)
    with torch.device("meta"):
        model, x = timm.create_model(name), torch.empty(4, 3, 224, 224)
    zeros = bytes_for_backward(model, x)
    set_padding_mode(model, "partial")
    assert 0 < bytes_for_backward(model, x) - zeros <= 2**20
    set_padding_mode(model, "reflect")
    assert bytes_for_backward(model, x) - zeros > 2**20


def test_meta_device_and_memory_is_freed(layer):
    assert copy.deepcopy(layer).to("meta")(image(5, 5).to("meta")).shape == (2, 3, 5, 5)
    y = layer(image(5, 5))
    reference = weakref.ref(y)
    del y
    gc.collect()
    assert reference() is None


@pytest.fixture
def apart(monkeypatch):
    """The way of GPUs, on the CPU: the bias comes with the ratio in one pass behind the convolution."""
    monkeypatch.setattr(module, "_BIAS_ADDED_APART", {"cpu"})


GEOMETRY = ((2, 1), (1, 2, 2, 1), (1, 2), 2)


def convolved(dtype=torch.float64, memory_format=torch.contiguous_format):
    """Output and gradients of one padded convolution with a bias."""
    torch.manual_seed(0)
    x, weight, bias = (
        torch.randn(shape, dtype=torch.float64).to(dtype).requires_grad_()
        for shape in ((2, 4, 8, 9), (6, 2, 3, 3), (6,))
    )
    y = partial_conv2d(x.to(memory_format=memory_format), weight, bias, *GEOMETRY)
    y.square().sum().backward()
    return [y.detach(), x.grad, weight.grad, bias.grad]


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-13), (torch.float32, 1e-5), (torch.bfloat16, 3e-2)]
)
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_both_ways_to_add_the_bias_agree(dtype, tolerance, memory_format, monkeypatch):
    expected = convolved(dtype, memory_format)
    monkeypatch.setattr(module, "_BIAS_ADDED_APART", {"cpu"})
    found = convolved(dtype, memory_format)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours.dtype, ours.stride()) == (theirs.dtype, theirs.stride())
        assert (ours - theirs).abs().max() <= tolerance * theirs.abs().max()


@pytest.mark.slow
@pytest.mark.usefixtures("apart")
def test_bias_added_apart_has_exact_gradients_of_every_order():
    torch.manual_seed(0)
    shapes = ((1, 4, 5, 6), (6, 2, 3, 3), (6,))
    tensors = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    call = lambda *arguments: partial_conv2d(*arguments, *GEOMETRY)  # noqa: E731
    assert torch.autograd.gradcheck(call, tensors, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(call, tensors)


@pytest.mark.usefixtures("apart")
def test_bias_added_apart_works_for_one_image_and_in_autocast(layer):
    torch.testing.assert_close(layer(image(5, 6)[0]), layer(image(5, 6))[0])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(image(5, 6)).dtype == torch.bfloat16
