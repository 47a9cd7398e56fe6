"""What a padding scheme is: a convolution that decides what lies beyond the border.

Convention:
    `pad = (left, right, top, bottom)` in pixels, never negative, as in `torch.nn.functional.pad`; sizes, kernels,
    strides and dilations are (height, width). Images may come in batches (n c h w) or alone (c h w).
"""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from borderlab.errors import PaddingError

Pair = tuple[int, int]
Pad = tuple[int, int, int, int]
Fill = Callable[[Tensor, Pad], Tensor]


@runtime_checkable
class PaddingScheme(Protocol):
    """A two-dimensional convolution with a rule for the pixels outside the image."""

    def __call__(
        self,
        x: Float[Tensor, "*n c_in h w"],
        weight: Float[Tensor, "c_out c_in_per_group k_h k_w"],
        bias: Float[Tensor, " c_out"] | None,
        stride: Pair,
        pad: Pad,
        dilation: Pair,
        groups: int,
    ) -> Float[Tensor, "*n c_out h_out w_out"]:
        """Convolve `x` as if it were padded by `pad`.

        Raises:
            PaddingError: if the scheme cannot pad an image of this size by this much.
        """
        ...


def filled(fill: Fill) -> PaddingScheme:
    """The scheme that writes a value into each padded pixel, then convolves without padding.

    Args:
        fill: takes an image and a pad, returns the padded image.
    """

    def conv2d(
        x: Float[Tensor, "*n c_in h w"],
        weight: Float[Tensor, "c_out c_in_per_group k_h k_w"],
        bias: Float[Tensor, " c_out"] | None,
        stride: Pair,
        pad: Pad,
        dilation: Pair,
        groups: int,
    ) -> Float[Tensor, "*n c_out h_out w_out"]:
        return F.conv2d(fill(x, pad), weight, bias, stride, 0, dilation, groups)

    return conv2d


def check_pad_fits(mode: str, size: tuple[int, ...], pad: Pad, margin: int) -> None:
    """Refuse a pad that needs more pixels than the image has.

    Args:
        mode: name of the padding mode, for the message.
        size: height and width of the image, in pixels.
        pad: the pad.
        margin: how many more pixels than the pad the image must have at least.

    Raises:
        PaddingError: if the image is too small.
    """
    height, width = size
    if max(pad[:2]) + margin > width or max(pad[2:]) + margin > height:
        limit = "smaller than" if margin else "at most"
        raise PaddingError(
            f"{mode} padding must be {limit} the map: pad (left, right, top, bottom) = {tuple(pad)} on a map of "
            f"{height}x{width} px; use larger images, or another padding mode"
        )
