"""Mean-interpolation padding: the border continues with local means of the image, stretched outwards.

Source: Nguyen, Choi, Ma et al., "Distribution Padding in Convolutional Neural Networks", ICIP 2019.

For a pad of (left, right, top, bottom) on an image of h x w:

1. mean over every window of (1 + top + bottom) x (1 + left + right) pixels that lies in the image, which gives
   (h - top - bottom) x (w - left - right) means;
2. resize the means bilinearly (half-pixel centres) to the size of the padded image;
3. write the image over the middle. The padded rim is held constant in the backward pass.

    a b c d e  ->  m a b c d e n    with m, n interpolated from (a+b+c)/3, (b+c+d)/3, (c+d+e)/3

With equal pads on both sides, p, these are the published (2p+1) x (2p+1) windows and the published enlargement by
(h + 2p) / (h - 2p). UNVERIFIED: that the publication resizes with half-pixel centres, and what it does with unequal
pads (its networks have none); both are our reading. The sibling "mean-reflect" is not here.

An image must be larger than its pads together (left + right, top + bottom), or no window fits: it is refused. The rim
depends on the amount of padding, so branches with other kernels see another rim.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from borderlab.errors import PaddingError
from borderlab.padding.base import Pad, filled


def mean_interp_fill(x: Float[Tensor, "*n c h w"], pad: Pad) -> Float[Tensor, "*n c h_padded w_padded"]:
    """Pad `x` with its stretched local means, without a gradient of their own.

    Raises:
        PaddingError: if the image is not larger than its pads together.
    """
    left, right, top, bottom = pad
    if not any(pad):
        return x
    height, width = x.shape[-2], x.shape[-1]
    _check_a_window_fits(height, width, pad)
    if x.dim() == 3:
        return mean_interp_fill(x[None], pad)[0]
    means = F.avg_pool2d(x.detach(), (1 + top + bottom, 1 + left + right), stride=1)
    size = (height + top + bottom, width + left + right)
    padded = F.interpolate(means, size, mode="bilinear", align_corners=False).to(x.dtype).clone()
    padded[..., top : top + height, left : left + width] = x
    return padded


def _check_a_window_fits(height: int, width: int, pad: Pad) -> None:
    """Raise `PaddingError` unless a window as large as the padding fits into the image."""
    left, right, top, bottom = pad
    if left + right >= width or top + bottom >= height:
        raise PaddingError(
            f"mean_interp padding must be smaller in all than the map: pad (left, right, top, bottom) = {tuple(pad)} "
            f"on a map of {height}x{width} px; use larger images, or another padding mode"
        )


SCHEME = filled(mean_interp_fill, nested=False)
