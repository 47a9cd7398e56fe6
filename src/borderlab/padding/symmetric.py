"""Symmetric padding: the image is mirrored at its outer edge, and its border pixels are repeated once.

symmetric    a b c d  ->  b a a b c d d c

A pad larger than the image is refused. torch has no such mode.
"""

from jaxtyping import Float
from torch import Tensor

from borderlab.padding.base import Pad, check_pad_fits, filled, joined


def symmetric_fill(x: Float[Tensor, "*n c h w"], pad: Pad) -> Float[Tensor, "*n c h_padded w_padded"]:
    """Pad `x` with its mirror image.

    Raises:
        PaddingError: if the pad is larger than the image.
    """
    check_pad_fits("symmetric", x.shape[-2:], pad, margin=0)
    left, right, top, bottom = pad
    return _mirror(_mirror(x, -1, left, right), -2, top, bottom)


def _mirror(x: Float[Tensor, "*n c h w"], dim: int, before: int, after: int) -> Float[Tensor, "*n c h2 w2"]:
    size = x.shape[dim]
    return joined([x.narrow(dim, 0, before).flip(dim), x, x.narrow(dim, size - after, after).flip(dim)], dim)


SCHEME = filled(symmetric_fill)
