"""Each known defect of the published code, and each complaint of its users, as a test that ours passes.

The published layer is github.com/NVIDIA/partialconv (models/partialconv2d.py at 610d373); letters are those of our
notes on it, numbers are its issues. Further tests of the same defects: `test_padding_partial.py`.
"""

import copy
import io

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import borderlab.torchvision_compat  # noqa: F401  isort: skip
import timm

from borderlab.errors import PaddingError
from borderlab.padding import coverage_ratio, partial_conv2d, set_padding_mode


def partial_layer(*arguments, **options):
    torch.manual_seed(0)
    layer = nn.Conv2d(*arguments, **options)
    set_padding_mode(layer, "partial")
    return layer


def image(*size, dtype=torch.float32):
    return torch.randn(2, 2, *size, generator=torch.Generator().manual_seed(1)).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_no_epsilon_can_underflow(dtype):
    """The published 1e-8 is 0 in half precision and 1e-6 still overflows; here there is none, and no NaN."""
    layer = partial_layer(2, 3, 7, padding=3, stride=2).to(dtype)
    y = layer(image(9, 9, dtype=dtype))
    assert y.dtype == dtype
    assert y.isfinite().all()
    empty = partial_layer(2, 3, 1, padding=1).to(dtype)
    with pytest.raises(PaddingError, match="sees no image pixel"):
        empty(image(4, 4, dtype=dtype))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_b_precision_follows_the_layer_at_the_same_size(dtype):
    """The published cache keeps the ratio of the first precision."""
    layer = partial_layer(2, 3, 3, padding=1)
    before = layer(image(5, 5))
    assert layer.to(dtype)(image(5, 5, dtype=dtype)).dtype == dtype
    after = layer.float()(image(5, 5))
    assert after.dtype == torch.float32
    torch.testing.assert_close(after, before, rtol=1e-2, atol=1e-2)


def test_b_a_ratio_of_autocast_does_not_stay():
    layer = partial_layer(2, 3, 7, padding=3)
    expected = copy.deepcopy(layer)(image(6, 6))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        layer(image(6, 6))
    assert torch.equal(layer(image(6, 6)), expected)


def test_c_nothing_is_cached_on_the_layer():
    """Attributes of replicas of nn.DataParallel are thrown away, so a cache on the layer never holds there."""
    layer = partial_layer(2, 3, 3, padding=1)
    attributes = dict(vars(layer))
    replica = layer._replicate_for_data_parallel()
    replica.weight, replica.bias = layer.weight, layer.bias
    assert torch.equal(replica(image(5, 5)), layer(image(5, 5)))
    assert vars(layer) == attributes


@pytest.mark.parametrize("bias", [True, False])
def test_d_training_follows_inference_mode_at_the_same_size(bias):
    """Without a bias the ratio itself is kept for the gradient, which a tensor of inference mode may not be."""
    layer = partial_layer(2, 3, 3, padding=1, bias=bias)
    with torch.inference_mode():
        layer(image(5, 5))
    layer(image(5, 5)).square().sum().backward()
    assert layer.weight.grad.isfinite().all()


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_e_the_ratio_belongs_to_one_mode(mode):
    """The published layer multiplies any padding mode by the ratio of zero padding."""
    native = nn.Conv2d(2, 3, 3, padding=1, padding_mode=mode)
    layer = copy.deepcopy(native)
    set_padding_mode(layer, "partial")
    assert not torch.allclose(layer(image(5, 5)), native(image(5, 5)))
    set_padding_mode(layer, mode)
    torch.testing.assert_close(layer(image(5, 5)), native(image(5, 5)))


def test_f_an_image_needs_no_batch_axis():
    layer = partial_layer(2, 3, 3, padding=1)
    torch.testing.assert_close(layer(image(5, 6)[0]), layer(image(5, 6))[0])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_g_an_exported_program_holds_for_other_sizes():
    """torch.jit.trace bakes the ratio of one size in; torch.export with dynamic sizes is the way, see the slow test."""
    layer = partial_layer(2, 3, 3, padding=1).eval()
    traced = torch.fx.symbolic_trace(nn.Sequential(layer))
    for size in ((5, 5), (9, 6)):
        torch.testing.assert_close(traced(image(*size)), layer(image(*size)))


@pytest.mark.slow
@pytest.mark.parametrize("stride", [1, 2])
def test_g_export_with_dynamic_height_and_width(stride):
    model = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 2, 5, stride, 2, bias=False)).eval()
    set_padding_mode(model, "partial")
    height, width = (torch.export.Dim(name, min=5, max=64) for name in ("height", "width"))
    program = torch.export.export(model, (image(12, 11),), dynamic_shapes=({2: height, 3: width},))
    stream = io.BytesIO()
    torch.export.save(program, stream)
    stream.seek(0)
    module = torch.export.load(stream).module()
    for size in ((12, 11), (7, 20), (33, 5)):
        torch.testing.assert_close(module(image(*size)), model(image(*size)))


def test_wrong_reimplementation_one_global_factor():
    """A public re-implementation scales the whole image by one ratio; here the interior keeps its bits."""
    layer, x = partial_layer(2, 3, 3, padding=1), image(8, 8)
    plain = F.conv2d(x, layer.weight, layer.bias, padding=1)
    assert torch.equal(layer(x)[..., 1:-1, 1:-1], plain[..., 1:-1, 1:-1])
    assert not torch.allclose(layer(x)[..., 0, :], plain[..., 0, :])


def test_issue_44_activations_do_not_peak_at_the_border():
    """Positive kernels on noise around 1: the mean over the border is that of the interior, within noise."""
    torch.manual_seed(0)
    x = 1 + 0.1 * torch.randn(8, 4, 32, 32)
    weight = torch.rand(16, 4, 3, 3)
    y = partial_conv2d(x, weight, None, (1, 1), (1, 1, 1, 1), (1, 1), 1)
    rim = torch.ones(32, 32, dtype=torch.bool)
    rim[1:-1, 1:-1] = False
    assert y[..., rim].mean() / y[..., ~rim].mean() == pytest.approx(1, abs=1e-2)
    zeros = F.conv2d(x, weight, padding=1)
    assert zeros[..., rim].mean() / zeros[..., ~rim].mean() < 0.7


def test_issue_44_but_the_variance_at_the_border_is_larger():
    """What remains of the complaint: on independent pixels the ratio r amplifies the variance, by r in a corner."""
    torch.manual_seed(0)
    x = torch.randn(4000, 1, 4, 4)
    y = partial_conv2d(x, torch.ones(1, 1, 3, 3), None, (1, 1), (1, 1, 1, 1), (1, 1), 1)
    assert y[..., 0, 0].var() / y[..., 1, 1].var() == pytest.approx(9 / 4, rel=0.15)


def test_issue_16_weights_of_a_run_with_zeros_go_on_without_nan():
    model = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 1, 3, padding=1))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    losses = []
    for step in range(6):
        if step == 3:
            set_padding_mode(model, "partial")
        optimiser.zero_grad()
        loss = model(image(6, 6)).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert max(losses[3:]) < 2 * max(losses[:3])


def test_issue_3_whole_models_are_converted_in_place():
    model = timm.create_model("resnet18", num_classes=2)
    parameters = {name: parameter.data_ptr() for name, parameter in model.named_parameters()}
    assert len(set_padding_mode(model, "partial").converted) == 17
    assert {name: parameter.data_ptr() for name, parameter in model.named_parameters()} == parameters


@pytest.mark.parametrize("groups", [1, 2])
def test_issue_4_groups(groups):
    layer = partial_layer(2, 4, 3, padding=1, groups=groups)
    ratio = coverage_ratio((5, 5), (3, 3), (1, 1), (1, 1, 1, 1), (1, 1))
    expected = F.conv2d(image(5, 5), layer.weight, None, 1, 1, 1, groups) * ratio + layer.bias[:, None, None]
    torch.testing.assert_close(layer(image(5, 5)), expected)


def test_pull_14_a_batch_of_another_size():
    layer = partial_layer(2, 3, 3, padding=1)
    assert layer(image(5, 5)).shape[0] == 2
    torch.testing.assert_close(layer(image(5, 5)[:1]), layer(image(5, 5))[:1])


def test_pointwise_layers_cost_nothing():
    """36 of the 53 convolutions of resnet50 are 1x1, where the ratio is 1: they stay what they are."""
    with torch.device("meta"):
        report = set_padding_mode(timm.create_model("resnet50"), "partial")
    assert (len(report.converted), report.n_unpadded) == (17, 36)


def test_timm_layers_that_ignore_the_mode_do_not_ignore_it_here():
    """Setting `padding_mode` on timm's StdConv2d changes nothing, silently."""
    model, x = timm.create_model("resnetv2_50x1_bit", num_classes=2).eval(), torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        before = model(x)
        for layer in model.modules():
            if type(layer).__name__ == "StdConv2d":
                layer.padding_mode = "reflect"
        assert torch.equal(model(x), before)
        set_padding_mode(model, "reflect")
        assert not torch.equal(model(x), before)
