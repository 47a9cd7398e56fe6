"""Circular padding: the image is one tile of a plane.

circular    a b c d  ->  c d a b c d a b
"""

from jaxtyping import Float
from torch import Tensor

from borderlab.padding.base import Pad, check_pad_fits, filled, joined


def circular_fill(x: Float[Tensor, "*n c h w"], pad: Pad) -> Float[Tensor, "*n c h_padded w_padded"]:
    """Pad `x` with its opposite side.

    Raises:
        PaddingError: if the pad is larger than the image.
    """
    check_pad_fits("circular", x.shape[-2:], pad, margin=0)
    left, right, top, bottom = pad
    return _wrap(_wrap(x, -1, left, right), -2, top, bottom)


def _wrap(x: Float[Tensor, "*n c h w"], dim: int, before: int, after: int) -> Float[Tensor, "*n c h2 w2"]:
    # torch's own circular mode returns channels-first memory whatever it is given, and is slower.
    size = x.shape[dim]
    return joined([x.narrow(dim, size - before, before), x, x.narrow(dim, 0, after)], dim)


SCHEME = filled(circular_fill)
