"""The feature pyramid and the logits of one pass."""

import pytest
import torch
from torch import nn

from borderlab.errors import RunError
from borderlab.models.backbone import create_backbone
from borderlab.models.deeplab import DeepLabV3Plus
from borderlab.probe.feature_maps import activations, side_ratio


@pytest.mark.parametrize("name", ["resnet10t", "mobilenetv3_small_050", "regnetx_002"])
def test_logits_are_those_of_a_plain_pass(name: str) -> None:
    torch.manual_seed(0)
    module = create_backbone(name, "random", num_classes=5).eval()
    images = torch.randn(2, 3, 64, 64)
    found = activations(module, images)
    torch.testing.assert_close(found.logits, module(images).detach())
    assert [side_ratio(64, own.shape[-1]) for own in found.maps] == [2, 4, 8, 16, 32]


def test_a_segmenter_gives_its_backbones_maps_and_keeps_no_hook() -> None:
    torch.manual_seed(0)
    backbone = create_backbone("mobilenetv3_small_050", "random", features_only=True)
    module = DeepLabV3Plus(backbone, 4, decoder_channels=8, aspp_rates=(1,)).eval()
    images = torch.randn(1, 3, 64, 96)
    found = activations(module, images)
    torch.testing.assert_close(found.logits, module(images).detach())
    assert found.logits.shape == (1, 4, 64, 96)
    assert [tuple(own.shape[2:]) for own in found.maps] == [(32, 48), (16, 24), (8, 12), (4, 6), (2, 3)]
    assert not module.backbone._forward_hooks


def test_an_architecture_without_a_pyramid_is_refused() -> None:
    with pytest.raises(RunError, match="Sequential: timm has no feature pyramid"):
        activations(nn.Sequential(), torch.zeros(1, 3, 8, 8))


@pytest.mark.parametrize(("image", "own", "ratio"), [(90, 23, 4), (48, 48, 1), (90, 44, 2), (7, 1, 8)])
def test_ratio_of_single_sides(image: int, own: int, ratio: int) -> None:
    assert side_ratio(image, own) == ratio


def test_ratio_is_the_stride_whatever_halving_rounds_up() -> None:
    for image in range(33, 513):
        own = image
        for stride in (2, 4, 8, 16, 32):
            own = (own + 1) // 2
            assert side_ratio(image, own) == stride, (image, own)
