"""What the padding benchmarks compare: modes of the package and the published formulation, on one and the same network.

`mask_convolution` is written here from its formula: the ratio is made in each forward pass by a convolution over a
mask of ones, and applied out of place.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import borderlab.torchvision_compat  # noqa: F401  isort: skip
from timm.layers import Conv2dSame, pad_same

from borderlab.padding import set_padding_mode

MASK_CONVOLUTION = "mask_convolution"
ARMS = ("zeros", "partial", MASK_CONVOLUTION, "reflect", "replicate", "circular")


class MaskConvolution(nn.Conv2d):
    """Baseline, written from the formula: (Wx - b) * k / (covered + 1e-8) + b with `covered` by a convolution."""

    def forward(self, x: Tensor) -> Tensor:
        kernel = torch.ones(1, 1, *self.kernel_size, dtype=x.dtype, device=x.device)
        with torch.no_grad():
            covered = self.convolved(torch.ones(1, 1, *x.shape[-2:], dtype=x.dtype, device=x.device), kernel, None)
            ratio = self.kernel_size[0] * self.kernel_size[1] / (covered + 1e-8)
            seen = covered.clamp(0, 1)
            ratio = ratio * seen
        y = self.convolved(x, self.weight, self.bias, self.groups)
        if self.bias is None:
            return y * ratio
        # Of the output's type: in half precision a float32 bias would make all that follows float32.
        bias = self.bias.to(y.dtype).view(1, -1, 1, 1)
        return ((y - bias) * ratio + bias) * seen

    def convolved(self, x: Tensor, weight: Tensor, bias: Tensor | None, groups: int = 1) -> Tensor:
        return F.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, groups)


class MaskConvolutionSame(MaskConvolution):
    """The same for a layer that pads by a rule of the image's size."""

    def convolved(self, x: Tensor, weight: Tensor, bias: Tensor | None, groups: int = 1) -> Tensor:
        x = pad_same(x, self.kernel_size, self.stride, self.dilation)
        return F.conv2d(x, weight, bias, self.stride, 0, self.dilation, groups)


BASELINES = {nn.Conv2d: MaskConvolution, Conv2dSame: MaskConvolutionSame}
ORIGINALS = {baseline: original for original, baseline in BASELINES.items()}


def pad_by(network: nn.Module, arm: str) -> nn.Module:
    """Let `network` pad by `arm`, in place; the baseline stands on every convolution, padded or not, as published."""
    for module in network.modules():
        module.__class__ = ORIGINALS.get(type(module), type(module))
    set_padding_mode(network, "zeros" if arm == MASK_CONVOLUTION else arm)
    for module in network.modules() if arm == MASK_CONVOLUTION else ():
        module.__class__ = BASELINES.get(type(module), type(module))
    return network
