import dataclasses

import pytest
import torch
from torch import nn

from padding_traits import modes_with

import borderlab.torchvision_compat  # noqa: F401  isort: skip
import timm
from timm.layers.mixed_conv2d import MixedConv2d

from borderlab.errors import PaddingError
from borderlab.padding import PADDING_MODES, set_padding_mode
from borderlab.padding.report import ConvertedLayer, LeftLayer

VISIBLE_MODES = [mode for mode in modes_with("differs_from_zeros_in_eval") if mode != "zeros"]


def small_model():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 2, 3), nn.Conv2d(2, 2, 3, 1, 1)
    ).eval()


def test_report():
    model = nn.Sequential(small_model(), nn.MaxPool2d(3, 1, 1))
    report = set_padding_mode(model, "partial")
    assert report.mode == "partial"
    assert report.converted == (
        ConvertedLayer("0.0", "Conv2d", (3, 3), (2, 2), (1, 1)),
        ConvertedLayer("0.3", "Conv2d", (3, 3), (1, 1), (1, 1)),
    )
    assert report.n_unpadded == 2
    assert report.left == (LeftLayer("1", "MaxPool2d", "pads with -inf"),)
    assert str(report) == (
        "padding mode partial: 2 convolutions converted, 2 without padding; left with a padding of their own: 1"
    )
    many = dataclasses.replace(report, left=report.left * 7)
    assert str(many).endswith("1, 1, 1, 1, 1, 2 more")
    assert str(dataclasses.replace(report, left=())).endswith("none")


def test_conversion_is_idempotent_and_goes_from_any_mode_to_any_other():
    x = torch.randn(1, 3, 16, 16)
    expected = {}
    for mode in PADDING_MODES:
        model = small_model()
        set_padding_mode(model, mode)
        expected[mode] = model(x)
    model = small_model()
    for first in PADDING_MODES:
        for second in PADDING_MODES:
            set_padding_mode(model, first)
            report = set_padding_mode(model, second)
            assert set_padding_mode(model, second) == report
            assert torch.equal(model(x), expected[second])


def test_unpadded_layers_are_untouched():
    model = small_model()
    set_padding_mode(model, "partial")
    assert [type(layer) for layer in model[1:3]] == [nn.Conv2d, nn.Conv2d]
    assert model[1].padding_mode == "zeros"


def test_a_model_built_with_another_mode_is_converted_too():
    x, layer = torch.randn(1, 1, 5, 5), nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")
    set_padding_mode(layer, "zeros")
    assert torch.equal(layer(x), torch.nn.functional.conv2d(x, layer.weight, layer.bias, padding=1))


def test_unknown_mode_is_refused_and_changes_nothing():
    model = small_model()
    with pytest.raises(PaddingError, match="unknown padding mode 'mirror'; use one of zeros, reflect, "):
        set_padding_mode(model, "mirror")
    assert type(model[0]) is nn.Conv2d


def test_strict_refuses_before_anything_changes():
    model = nn.Sequential(small_model(), *(nn.MaxPool2d(3, 1, 1) for _ in range(4)))
    message = r"partial: 4 modules pad by themselves: 1 \(MaxPool2d: pads with -inf\), 2 .* and 1 more; convert without"
    with pytest.raises(PaddingError, match=message):
        set_padding_mode(model, "partial", strict=True)
    assert type(model[0][0]) is nn.Conv2d
    assert len(set_padding_mode(model[0], "partial", strict=True).converted) == 2


def test_a_single_layer_is_a_model_and_keeps_its_name():
    layer = nn.Conv2d(2, 2, 3, padding=1)
    entry = ConvertedLayer("Conv2d", "Conv2d", (3, 3), (1, 1), (1, 1))
    assert set_padding_mode(layer, "partial").converted == set_padding_mode(layer, "reflect").converted == (entry,)


def test_shared_layer_is_converted_once():
    layer = nn.Conv2d(2, 2, 3, padding=1)
    assert len(set_padding_mode(nn.Sequential(layer, layer), "partial").converted) == 1


class OwnForward(nn.Conv2d):
    def forward(self, x):
        return 2 * super().forward(x)


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (nn.LazyConv2d(2, 3, padding=1), "not initialised: run the model once first"),
        (OwnForward(2, 2, 3), "its forward pass is not known"),
        (
            nn.utils.parametrizations.weight_norm(nn.Conv2d(2, 2, 3, padding=1)),
            "parametrised: its class belongs to the parametrisation",
        ),
    ],
)
def test_layers_that_cannot_be_converted_are_reported(layer, reason):
    before = type(layer)
    report = set_padding_mode(layer, "partial")
    assert (report.converted, report.n_unpadded) == ((), 0)
    assert [left.kind for left in report.left] == [before.__name__]
    assert report.left[0].reason == reason
    assert type(layer) is before


def test_pointwise_layer_with_a_forward_of_its_own_does_not_pad():
    assert set_padding_mode(OwnForward(2, 2, 1), "partial").n_unpadded == 1


def test_mixed_convolutions_are_reached():
    layer = MixedConv2d(4, 6, [3, 5], stride=1, padding="", depthwise=False)
    assert len(set_padding_mode(layer, "partial").converted) == 2


# Padded layers, what is left, and a size whose last maps no mode refuses (5x5 windows on 3x3 px have no mean inside).
WHOLE_MODELS = {
    "resnet18": (17, "MaxPool2d", 96),
    "tf_efficientnet_lite0": (17, None, 160),
    "resnetv2_50x1_bit": (17, "ConstantPad2d", 96),
    "nf_resnet50": (17, "MaxPool2d", 96),
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "expected"), WHOLE_MODELS.items(), ids=WHOLE_MODELS)
def test_whole_model_changes_under_every_mode_and_comes_back_bit_for_bit(name, expected):
    torch.manual_seed(0)
    n_padded, left, size = expected
    model, x = timm.create_model(name, num_classes=4).eval(), torch.randn(1, 3, size, size)
    outputs = {}

    def note(module, _, output):
        outputs[module] = output

    watched = [layer for layer in model.modules() if type(layer).__name__ in {"Conv2dSame", "StdConv2d"}]
    watched += [layer for layer in model.modules() if type(layer).__name__ == "ScaledStdConv2d"]
    watched = [layer for layer in watched if max(layer.kernel_size) > 1] or [model.conv1]
    for layer in watched:
        layer.register_forward_hook(note)
    with torch.inference_mode():
        original = model(x)
        first_outputs = dict(outputs)
        for mode in VISIBLE_MODES:
            report = set_padding_mode(model, mode)
            assert len(report.converted) == n_padded
            assert [entry.kind for entry in report.left] == ([] if left is None else [left])
            assert not torch.equal(model(x), original)
            assert all(not torch.equal(outputs[layer], first_outputs[layer]) for layer in watched)
        set_padding_mode(model, "zeros")
        assert torch.equal(model(x), original)


def test_strided_same_layers_of_lite0_each_change_by_themselves():
    """Setting `padding_mode` on them has no effect in timm; here each must change for equal input."""
    model = timm.create_model("tf_efficientnet_lite0").eval()
    layers = [layer for layer in model.modules() if type(layer).__name__ == "Conv2dSame"]
    assert len(layers) == 5
    for layer in layers:
        x = torch.randn(1, layer.in_channels, 12, 12)
        before = layer(x)
        for mode in VISIBLE_MODES:
            set_padding_mode(layer, mode)
            assert not torch.equal(layer(x), before)


def test_counts_agree_with_the_census_of_timm():
    """Padded and other convolutions per network, counted on the meta device."""
    census = {"vgg16_bn": (13, 0), "resnet50": (17, 36), "resnet101": (34, 70), "convnext_tiny": (18, 4)}
    for name, (n_padded, n_unpadded) in census.items():
        with torch.device("meta"):
            report = set_padding_mode(timm.create_model(name), "replicate")
        assert len(report.converted) == n_padded
        # timm's VGG has two convolutions in its head: 7x7 without padding, and 1x1.
        assert report.n_unpadded == n_unpadded + 2 * (name == "vgg16_bn")
