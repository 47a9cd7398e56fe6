"""Replication padding: the border pixel is repeated outwards.

replicate    a b c d  ->  a a a b c d d d
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from borderlab.padding.base import Pad, filled


def replicate_fill(x: Float[Tensor, "*n c h w"], pad: Pad) -> Float[Tensor, "*n c h_padded w_padded"]:
    """Pad `x` with its nearest pixels; any image is large enough."""
    return F.pad(x, pad, mode="replicate")


SCHEME = filled(replicate_fill)
