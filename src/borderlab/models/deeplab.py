r"""DeepLabV3+ on any timm backbone that gives a feature pyramid.

Source: Chen et al. 2018, "Encoder-Decoder with Atrous Separable Convolution" (the network of Zhu et al. 2019, with
plain convolutions in the decoder).

    image -> backbone -> deepest map (stride 8, 16 or 32) -> ASPP -> upsample --+-> 3x3 -> 3x3 -> 1x1 -> logits
                    \-> shallow map (stride 4) -> 1x1, 48 channels -------------/
                         (stride 2 where the backbone says so: WideResNet38)

Padding modes reach every padded convolution, ASPP's dilated ones and the decoder's included: they are converted
after the whole network is built.

A dilated 3x3 window with rate d on a map of side s sees the image with 3 taps along an axis only where both neighbours
d pixels away lie inside, and with its middle tap alone where d >= s. Under `partial` padding the factor of such a
window is 9 / (taps inside), at most 9: with d >= s an ASPP branch is a 1x1 convolution with nine times the middle
weight, at every pixel, and never an error. `reflect` needs d < s and refuses otherwise; `zeros` loses the outer taps'
share of the sum.

Differs from the reference: maps are enlarged with `align_corners=False`, as the images and labels are that they are
compared with.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from borderlab.errors import ConfigError

SHALLOW_STRIDE = 4
SHALLOW_CHANNELS = 48


def conv_norm_relu(inputs: int, outputs: int, kernel_size: int, dilation: int = 1) -> nn.Sequential:
    """Convolution that keeps the size, batch norm, ReLU."""
    padding = dilation * (kernel_size - 1) // 2
    convolution = nn.Conv2d(inputs, outputs, kernel_size, padding=padding, dilation=dilation, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class AtrousPyramid(nn.Module):
    """ASPP: one 1x1 convolution, one dilated 3x3 convolution per rate, and the mean over the image, side by side."""

    def __init__(self, inputs: int, outputs: int, rates: tuple[int, ...], dropout: float = 0.1) -> None:
        super().__init__()
        branches = [conv_norm_relu(inputs, outputs, 1)]
        branches += [conv_norm_relu(inputs, outputs, 3, dilation=rate) for rate in rates]
        self.branches = nn.ModuleList(branches)
        # No batch norm behind the mean: one value per channel and image has no spread in a batch of one.
        self.image_mean = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(inputs, outputs, 1), nn.ReLU(inplace=True))
        self.project = conv_norm_relu(outputs * (len(branches) + 1), outputs, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k h w"]:
        """Features of the same size, seen at several scales."""
        height, width = x.shape[-2:]
        maps = [branch(x) for branch in self.branches]
        maps.append(self.image_mean(x).expand(-1, -1, height, width))
        return self.dropout(self.project(torch.cat(maps, dim=1)))


class DeepLabV3Plus(nn.Module):
    """Segmentation network: logits of the input's height and width.

    Args:
        backbone: a timm model made with `features_only=True`.
        n_classes: number of classes.
        decoder_channels: width of ASPP and decoder.
        aspp_rates: dilations of ASPP's 3x3 convolutions.

    Raises:
        ConfigError: if the backbone has no map at stride 4.
    """

    def __init__(
        self,
        backbone: nn.Module,
        n_classes: int,
        decoder_channels: int = 256,
        aspp_rates: tuple[int, ...] = (6, 12, 18),
    ) -> None:
        super().__init__()
        strides: list[int] = backbone.feature_info.reduction()  # type: ignore[operator,union-attr]
        channels: list[int] = backbone.feature_info.channels()  # type: ignore[operator,union-attr]
        shallow_stride = int(getattr(backbone, "shallow_stride", SHALLOW_STRIDE))
        if shallow_stride not in strides[:-1]:
            raise ConfigError(f"DeepLabV3+ needs a feature map at stride {shallow_stride}; this backbone has {strides}")
        self.shallow_index = strides.index(shallow_stride)
        self.backbone = backbone
        self.pyramid = AtrousPyramid(channels[-1], decoder_channels, aspp_rates)
        self.shallow = conv_norm_relu(channels[self.shallow_index], SHALLOW_CHANNELS, 1)
        self.decoder = nn.Sequential(
            conv_norm_relu(decoder_channels + SHALLOW_CHANNELS, decoder_channels, 3),
            conv_norm_relu(decoder_channels, decoder_channels, 3),
        )
        self.classifier = nn.Conv2d(decoder_channels, n_classes, 1)

    def forward(self, image: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n k h w"]:
        """Logits of each class at each pixel."""
        features = self.backbone(image)
        shallow = self.shallow(features[self.shallow_index])
        deep = _resize(self.pyramid(features[-1]), shallow)
        logits = self.classifier(self.decoder(torch.cat([deep, shallow], dim=1)))
        return _resize(logits, image)


def _resize(x: Tensor, like: Tensor) -> Tensor:
    """`x` at the height and width of `like`, bilinear between pixel centres."""
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)
