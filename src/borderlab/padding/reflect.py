"""Reflection padding: the image is mirrored at the centre of its border pixels, which are not repeated.

reflect    a b c d  ->  c b a b c d c b
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from borderlab.padding.base import Pad, check_pad_fits, filled, like_memory


def reflect_fill(x: Float[Tensor, "*n c h w"], pad: Pad) -> Float[Tensor, "*n c h_padded w_padded"]:
    """Pad `x` with its mirror image.

    Raises:
        PaddingError: if the pad is not smaller than the image.
    """
    check_pad_fits("reflect", x.shape[-2:], pad, margin=1)
    # On CUDA, and compiled, torch's own returns channels-first memory whatever it is given.
    return like_memory(F.pad(x, pad, mode="reflect"), x)


SCHEME = filled(reflect_fill)
