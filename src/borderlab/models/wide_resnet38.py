"""WideResNet38, the large trunk of Zhu et al. 2019, which timm does not have.

Source: Wu et al. 2016, "Wider or Deeper: Revisiting the ResNet Model for Visual Recognition", model A2. Pre-activation
blocks; the last two are bottlenecks with dropout. An output stride of 8 or 16 turns the strides beyond it into
dilation, as DeepLab does.

    stem 64  ->  128 x3 (stride 2)  ->  256 x3 (4)  ->  512 x6 (8)  ->  1024 x3 (16)  ->  2048, 4096 (32)

Differs from the reference: dropout drops single values, as written there, and not whole channels, which a line
elsewhere in that code makes of every dropout.
"""

from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

STEM = 64
# Channels of the convolutions of a block, number of blocks, dropout: one row for each group.
GROUPS: tuple[tuple[tuple[int, ...], int, float], ...] = (
    ((128, 128), 3, 0.0),
    ((256, 256), 3, 0.0),
    ((512, 512), 6, 0.0),
    ((512, 1024), 3, 0.0),
    ((512, 1024, 2048), 1, 0.3),
    ((1024, 2048, 4096), 1, 0.5),
)
# Stride of each group's map without dilation; the first two shrink by pooling, the last keeps its size.
STRIDES = (2, 4, 8, 16, 32, 32)
POOLED = 2
# Groups whose maps are given out; the last one is normalised first.
GIVEN = (0, 1, 2, 3, 5)


@dataclass(frozen=True)
class FeatureInfo:
    """Stride and width of each map, in timm's words."""

    strides: tuple[int, ...]
    widths: tuple[int, ...]

    def reduction(self) -> list[int]:
        """Input size over map size."""
        return list(self.strides)

    def channels(self) -> list[int]:
        """Channels of each map."""
        return list(self.widths)


class PreActivationBlock(nn.Module):
    """Batch norm and ReLU before each convolution, around a shortcut."""

    def __init__(self, inputs: int, widths: tuple[int, ...], stride: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = _norm_relu(inputs)
        kernels = (3, 3) if len(widths) == 2 else (1, 3, 1)
        layers: list[nn.Module] = []
        before = inputs
        for index, (width, kernel) in enumerate(zip(widths, kernels, strict=True)):
            if index:
                layers.append(_norm_relu(before))
            if dropout and index == len(widths) - 1:
                layers.append(nn.Dropout(dropout))
            spread = dilation if kernel == 3 else 1
            layers.append(_convolution(before, width, kernel, stride if index == 0 else 1, spread))
            before = width
        self.convolutions = nn.Sequential(*layers)
        has_own_shortcut = stride != 1 or inputs != before
        self.shortcut = _convolution(inputs, before, 1, stride) if has_own_shortcut else None

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k h2 w2"]:
        """The block's map."""
        active = self.norm(x)
        shortcut: Tensor = x if self.shortcut is None else self.shortcut(active)
        return shortcut + self.convolutions(active)


class WideResNet38(nn.Module):
    """Maps at strides 2, 4, 8 and beyond; the deepest at `output_stride`.

    Args:
        output_stride: 8, 16 or 32.
    """

    # The decoder's skip connection starts at stride 2 here, at 4 in other networks.
    shallow_stride = 2

    def __init__(self, output_stride: int = 32) -> None:
        super().__init__()
        self.stem = _convolution(3, STEM, 3)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.groups = nn.ModuleList()
        inputs, reached = STEM, STRIDES[POOLED - 1]
        for index, ((widths, n_blocks, dropout), wanted) in enumerate(zip(GROUPS, STRIDES, strict=True)):
            stride = 1 if index < POOLED else min(wanted, output_stride) // reached
            reached = reached if index < POOLED else reached * stride
            dilation = max(1, wanted // output_stride)
            strides = [stride] + [1] * (n_blocks - 1)
            blocks = []
            for block_stride in strides:
                blocks.append(PreActivationBlock(inputs, widths, block_stride, dilation, dropout))
                inputs = widths[-1]
            self.groups.append(nn.Sequential(*blocks))
        self.norm = _norm_relu(inputs)
        self.feature_info = FeatureInfo(
            tuple(min(STRIDES[index], output_stride) for index in GIVEN), tuple(GROUPS[index][0][-1] for index in GIVEN)
        )
        self.pretrained_cfg: dict[str, Any] = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}

    def forward(self, image: Float[Tensor, "n 3 h w"]) -> list[Tensor]:
        """The maps that `feature_info` describes."""
        x = self.stem(image)
        maps = []
        for index, group in enumerate(self.groups):
            x = group(self.pool(x) if index < POOLED else x)
            if index in GIVEN[:-1]:
                maps.append(x)
        return [*maps, self.norm(x)]


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    padding = dilation * (kernel - 1) // 2
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, bias=False)


def _norm_relu(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
