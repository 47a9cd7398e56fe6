"""Zero padding: padded pixels are 0, the common default.

zeros    a b c d  ->  0 0 a b c d 0 0
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from borderlab.padding.base import Pad, filled


def zeros_fill(x: Float[Tensor, "*n c h w"], pad: Pad) -> Float[Tensor, "*n c h_padded w_padded"]:
    """Pad `x` with zeros."""
    return F.pad(x, pad)


SCHEME = filled(zeros_fill)
