"""Replication padding: the border pixel is repeated outwards.

replicate    a b c d  ->  a a a b c d d d
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from borderlab.padding.base import Pad, filled, like_memory


def replicate_fill(x: Float[Tensor, "*n c h w"], pad: Pad) -> Float[Tensor, "*n c h_padded w_padded"]:
    """Pad `x` with its nearest pixels; any image is large enough."""
    if torch.compiler.is_compiling():
        # torch 2.13 compiles the gradient of its own replicate mode with wrong strides for channels-last images.
        return _nearest(_nearest(x, -1, pad[0], pad[1]), -2, pad[2], pad[3])
    # On CUDA it returns channels-first memory whatever it is given.
    return like_memory(F.pad(x, pad, mode="replicate"), x)


def _nearest(x: Float[Tensor, "*n c h w"], dim: int, before: int, after: int) -> Float[Tensor, "*n c h2 w2"]:
    size = x.shape[dim]
    index = torch.arange(-before, size + after, device=x.device).clamp(0, size - 1)
    return x.index_select(dim, index)


SCHEME = filled(replicate_fill)
