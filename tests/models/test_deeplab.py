"""The segmentation network: sizes, strides, and padding modes that reach all of it."""

import pytest
import torch
from torch import nn

from borderlab.errors import ConfigError
from borderlab.models.backbone import create_backbone
from borderlab.models.deeplab import DeepLabV3Plus
from borderlab.padding import set_padding_mode


def small_network(stride: int = 16) -> DeepLabV3Plus:
    backbone = create_backbone("mobilenetv3_small_050", "random", features_only=True, output_stride=stride)
    return DeepLabV3Plus(backbone, 11, decoder_channels=16, aspp_rates=(1, 2)).eval()


@pytest.mark.parametrize("size", [(64, 96), (61, 83)])
def test_logits_have_the_size_of_the_image(size: tuple[int, int]) -> None:
    with torch.no_grad():
        assert small_network()(torch.randn(2, 3, *size)).shape == (2, 11, *size)


@pytest.mark.parametrize("stride", [8, 16])
def test_output_stride_decides_the_deepest_map(stride: int) -> None:
    network = small_network(stride)
    with torch.no_grad():
        deepest = network.backbone(torch.randn(1, 3, 64, 64))[-1]
    assert deepest.shape[-1] == 64 // stride


def test_padding_mode_reaches_backbone_pyramid_and_decoder() -> None:
    network = small_network()
    names = [converted.name for converted in set_padding_mode(network, "partial").converted]
    for room in ("backbone.", "pyramid.branches.", "decoder."):
        assert any(name.startswith(room) for name in names), room
    padded = [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d) and _pads(module)]
    assert sorted(names) == sorted(padded)


def _pads(convolution: nn.Conv2d) -> bool:
    return convolution.kernel_size != (1, 1) and convolution.padding != (0, 0)


def test_backbone_without_a_map_at_stride_four_is_refused() -> None:
    backbone = create_backbone("mobilenetv3_small_050", "random", features_only=True, out_indices=(2, 3))
    with pytest.raises(ConfigError, match="stride 4"):
        DeepLabV3Plus(backbone, 11)
