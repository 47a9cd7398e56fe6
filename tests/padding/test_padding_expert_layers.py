"""timm's `MixedConv2d` (branches of several kernels) and `CondConv2d` (a kernel for each image)."""

import copy
import pickle

import pytest
import torch
from torch import nn

from padding_traits import modes_with, own_keys

import borderlab.torchvision_compat  # noqa: F401  isort: skip
import timm
from timm.layers.cond_conv2d import CondConv2d
from timm.layers.mixed_conv2d import MixedConv2d

from borderlab.errors import PaddingError
from borderlab.padding import PADDING_MODES, set_padding_mode
from borderlab.padding.geometry import resolve_pad
from borderlab.padding.layers import unpadded_class
from borderlab.padding.report import ConvertedLayer

VISIBLE_MODES = [mode for mode in modes_with("differs_from_zeros_in_eval") if mode != "zeros"]
CONDITIONAL = {
    "plain": {"kernel_size": 3, "bias": True},
    "strided": {"kernel_size": 3, "stride": 2, "padding": 1},
    "same": {"kernel_size": 3, "stride": 2, "padding": "same", "bias": True},
    "depthwise": {"kernel_size": 5, "groups": 4, "bias": True},
    "dilated": {"kernel_size": 3, "dilation": 2, "groups": 2},
}


@pytest.fixture(params=CONDITIONAL)
def layer(request):
    torch.manual_seed(0)
    return CondConv2d(4, 8, num_experts=3, **CONDITIONAL[request.param]).eval()


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(3, 4, 9, 8, generator=generator), torch.rand(3, 3, generator=generator)


def one_by_one(layer, mode, x, routing):
    """Definition: for each image alone, mix kernel and bias from the experts, then convolve by the scheme."""
    outputs = []
    for image, shares in zip(x, routing, strict=True):
        weight = sum(
            share * expert.view(layer.weight_shape) for share, expert in zip(shares, layer.weight, strict=True)
        )
        bias = None
        if layer.bias is not None:
            bias = sum(share * expert for share, expert in zip(shares, layer.bias, strict=True))
        padding = "tf_same" if layer.dynamic_padding else layer.padding
        pad = resolve_pad(padding, image.shape[1:], layer.kernel_size, layer.stride, layer.dilation)
        outputs.append(PADDING_MODES[mode](image, weight, bias, layer.stride, pad, layer.dilation, layer.groups))
    return torch.stack(outputs)


@pytest.mark.parametrize("mode", sorted(PADDING_MODES))
def test_conditional_layer_equals_its_images_one_by_one(layer, inputs, mode):
    expected = one_by_one(layer, mode, *inputs)
    set_padding_mode(layer, mode)
    torch.testing.assert_close(layer(*inputs), expected)


@pytest.mark.parametrize("mode", VISIBLE_MODES)
def test_conditional_layer_changes_and_comes_back_bit_for_bit(layer, inputs, mode):
    before, keys, attributes = layer(*inputs), list(layer.state_dict()), set(vars(layer))
    report = set_padding_mode(layer, mode)
    assert [(entry.kind, entry.kernel) for entry in report.converted] == [("CondConv2d", layer.kernel_size)]
    assert report.left == ()
    assert not torch.equal(layer(*inputs), before)
    assert own_keys(layer.state_dict()) == keys
    set_padding_mode(layer, "zeros")
    assert type(layer) is CondConv2d
    assert torch.equal(layer(*inputs), before)
    assert (list(layer.state_dict()), set(vars(layer))) == (keys, attributes)


def test_bias_of_a_conditional_layer_stands_outside_the_ratio():
    """Ones everywhere, two experts with biases 10 and 20 mixed half and half: 4 * 9/4 + 15 = 9 + 15 in each corner."""
    layer = CondConv2d(1, 1, 3, bias=True, num_experts=2)
    with torch.no_grad():
        layer.weight.fill_(1)
        layer.bias.copy_(torch.tensor([[10.0], [20.0]]))
    set_padding_mode(layer, "partial")
    assert layer(torch.ones(2, 1, 4, 4), torch.full((2, 2), 0.5)).unique().tolist() == [24]


@pytest.mark.parametrize("mode", ["partial", "pp_pad", "reflect"])
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_copies_and_pickles(layer, inputs, mode, duplicate):
    set_padding_mode(layer, mode)
    twin = duplicate(layer)
    assert type(twin) is type(layer)
    assert torch.equal(twin(*inputs), layer(*inputs))
    set_padding_mode(twin, "zeros")
    assert type(twin) is unpadded_class(layer) is CondConv2d


@pytest.mark.parametrize("mode", ["partial", "circular"])
def test_gradients_reach_the_experts_and_the_routing(layer, inputs, mode):
    set_padding_mode(layer, mode)
    x, routing = (tensor.requires_grad_() for tensor in inputs)
    layer(x, routing).square().sum().backward()
    assert all(tensor.grad.abs().sum() > 0 for tensor in (x, routing, *layer.parameters()))


@pytest.mark.parametrize("mode", ["partial", "pp_pad"])
def test_symbolic_trace(layer, inputs, mode):
    set_padding_mode(layer, mode)
    assert torch.equal(torch.fx.symbolic_trace(layer)(*inputs), layer(*inputs))


def test_error_names_the_conditional_layer(inputs):
    holder = nn.ModuleDict({"expert": CondConv2d(4, 4, 3, num_experts=3)})
    set_padding_mode(holder, "reflect")
    with pytest.raises(PaddingError, match="expert: reflect padding must be smaller"):
        holder["expert"](inputs[0][..., :1], inputs[1])


def test_conditional_layers_with_a_forward_of_their_own_are_left():
    class Own(CondConv2d):
        def forward(self, x, routing_weights):
            return super().forward(x, routing_weights) + 1

    assert [left.kind for left in set_padding_mode(Own(4, 4, 3), "partial").left] == ["Own"]


def test_conditional_model_is_converted_whole():
    model = timm.create_model("efficientnet_cc_b0_4e", num_classes=2).eval()
    x = torch.randn(2, 3, 64, 64)
    before = model(x)
    report = set_padding_mode(model, "partial", strict=True)
    kinds = [entry.kind for entry in report.converted]
    assert (kinds.count("CondConv2d"), len(kinds)) == (8, 17)
    assert not torch.equal(model(x), before)
    set_padding_mode(model, "zeros")
    assert torch.equal(model(x), before)


@pytest.mark.parametrize("padding", ["", "same", 2])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("depthwise", [False, True])
def test_mixed_layer_is_reached_branch_by_branch(padding, stride, depthwise):
    layer = MixedConv2d(6, 6, [3, 5], stride=stride, padding=padding, depthwise=depthwise).eval()
    if padding == 2:
        layer = MixedConv2d(6, 6, [5, 5], stride=stride, padding=padding, depthwise=depthwise).eval()
    x, kinds = torch.randn(2, 6, 9, 10), [type(branch).__name__ for branch in layer.values()]
    assert ("Conv2dSame" in kinds) is (padding == "same" and stride == 2)
    before = layer(x)
    for mode in VISIBLE_MODES:
        report = set_padding_mode(layer, mode, strict=True)
        assert [(entry.name, entry.kind) for entry in report.converted] == list(zip("01", kinds, strict=True))
        parts = [branch(part) for branch, part in zip(layer.values(), x.split(layer.splits, 1), strict=True)]
        assert torch.equal(layer(x), torch.cat(parts, 1))
        assert not torch.equal(layer(x), before)
    set_padding_mode(layer, "zeros")
    assert torch.equal(layer(x), before)


def test_mixed_model_is_converted_whole():
    with torch.device("meta"):
        model = timm.create_model("tf_mixnet_s")
    report = set_padding_mode(model, "partial", strict=True)
    assert {entry.kind for entry in report.converted} == {"Conv2d", "Conv2dSame"}
    assert ConvertedLayer("conv_stem", "Conv2dSame", (3, 3), (2, 2), "tf_same") in report.converted
