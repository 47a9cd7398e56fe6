"""WideResNet38, output strides, and dilated windows that see mostly holes."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from borderlab.errors import ConfigError
from borderlab.models.backbone import create_backbone
from borderlab.models.deeplab import AtrousPyramid, DeepLabV3Plus
from borderlab.models.names import OWN_BACKBONES, output_strides
from borderlab.models.wide_resnet38 import GROUPS, PreActivationBlock, WideResNet38
from borderlab.padding import set_padding_mode


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_wide_resnet38_has_the_strides_and_widths_it_names(stride):
    with torch.device("meta"):
        network = WideResNet38(stride).eval()
        maps = network(torch.empty(1, 3, 128, 160))
    assert [x.shape[1] for x in maps] == network.feature_info.channels() == [128, 256, 512, 1024, 4096]
    assert [128 // x.shape[2] for x in maps] == network.feature_info.reduction()
    assert network.feature_info.reduction()[-1] == stride


def test_wide_resnet38_has_38_layers_with_weights_on_the_way():
    """Wu et al. count convolutions on the longest path: stem, two in each block, three in a bottleneck, classifier."""
    n_layers = 1 + sum(len(widths) * n_blocks for widths, n_blocks, _ in GROUPS) + 1
    assert n_layers == 38
    with torch.device("meta"):
        network = WideResNet38()
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    shortcuts = [module for name, module in network.named_modules() if name.endswith("shortcut")]
    assert len(convolutions) == n_layers - 1 + len(shortcuts)
    assert [module.p for module in network.modules() if isinstance(module, nn.Dropout)] == [0.3, 0.5]


def test_block_by_hand():
    block = PreActivationBlock(2, (2, 2), stride=1, dilation=1, dropout=0.0).eval()
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.dirac_(module.weight)
    x = torch.tensor([-1.0, 2.0]).view(1, 2, 1, 1).expand(1, 2, 3, 3).clone()
    # Identity convolutions of ReLU(x / sqrt(1 + eps)), twice, on top of x itself.
    expected = x + x.clamp(min=0) / (1 + 1e-5)
    torch.testing.assert_close(block(x.clone()), expected)


def test_decoder_starts_at_stride_two():
    with torch.device("meta"):
        backbone = create_backbone("wide_resnet38", "random", features_only=True, output_stride=8)
        network = DeepLabV3Plus(backbone, 5, 16, (12, 24)).eval()
        assert network.shallow[0].in_channels == 128
        assert network(torch.empty(1, 3, 64, 64)).shape == (1, 5, 64, 64)


def test_wide_resnet38_cannot_classify():
    with pytest.raises(ConfigError, match="wide_resnet38: it can segment"):
        create_backbone("wide_resnet38", "random", num_classes=10)


def test_seresnext50_segments_at_output_stride_8():
    with torch.device("meta"):
        backbone = create_backbone("seresnext50_32x4d", "random", features_only=True, output_stride=8)
        network = DeepLabV3Plus(backbone, 19, 16, (12, 24, 36)).eval()
        assert network(torch.empty(1, 3, 64, 96)).shape == (1, 19, 64, 96)
        assert backbone(torch.empty(1, 3, 64, 96))[-1].shape[2:] == (8, 12)


@pytest.mark.parametrize(
    "name", ["vgg16_bn", "resnet18", "mobilenetv3_small_050", "vit_tiny_patch16_224", "convnext_tiny"]
)
def test_table_of_output_strides_is_what_can_be_built(name):
    for stride in (8, 16, 32):
        arguments = {} if stride == 32 else {"output_stride": stride}
        try:
            with torch.device("meta"):
                backbone = create_backbone(name, "random", features_only=True, **arguments)
                DeepLabV3Plus(backbone, 2, 8, (1,))
                can = backbone.feature_info.reduction()[-1] == stride
        except ConfigError:
            can = False
        assert (stride in output_strides(name)) == can, (name, stride)
    assert all(output_strides(own) for own in OWN_BACKBONES)


@pytest.mark.parametrize("rate", [6, 12, 36])
def test_partial_window_that_sees_its_middle_alone_is_nine_times_a_pointwise_one(rate):
    """A rate of at least the map's side: the eight outer taps lie in holes everywhere, and nothing is refused."""
    torch.manual_seed(0)
    pyramid = AtrousPyramid(3, 4, (rate,), dropout=0.0)
    set_padding_mode(pyramid, "partial")
    dilated = pyramid.branches[1][0]
    x = torch.randn(1, 3, 6, 5)
    expected = 9 * F.conv2d(x, dilated.weight[:, :, 1:2, 1:2])
    torch.testing.assert_close(dilated(x), expected)
    assert pyramid.eval()(x).isfinite().all()


def test_partial_factor_counts_the_taps_inside():
    """Rate 2 on a row of 5 and a column of 3: taps inside by hand, 9 over their product."""
    layer = nn.Conv2d(1, 1, 3, padding=2, dilation=2, bias=False)
    nn.init.ones_(layer.weight)
    set_padding_mode(layer, "partial")
    rows, columns = torch.tensor([2, 1, 2]), torch.tensor([2, 2, 3, 2, 2])
    y = layer(torch.ones(1, 1, 3, 5))
    torch.testing.assert_close(y[0, 0], (rows[:, None] * columns) * 9 / (rows[:, None] * columns).float())
    assert y.unique().tolist() == pytest.approx([9.0])
