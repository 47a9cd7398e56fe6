"""Circular padding: the image is one tile of a plane.

circular    a b c d  ->  c d a b c d a b
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from borderlab.padding.base import Pad, check_pad_fits, filled


def circular_fill(x: Float[Tensor, "*n c h w"], pad: Pad) -> Float[Tensor, "*n c h_padded w_padded"]:
    """Pad `x` with its opposite side.

    Raises:
        PaddingError: if the pad is larger than the image.
    """
    check_pad_fits("circular", x.shape[-2:], pad, margin=0)
    return F.pad(x, pad, mode="circular")


SCHEME = filled(circular_fill)
