"""What a padding scheme is: a convolution that decides what lies beyond the border.

Convention:
    `pad = (left, right, top, bottom)` in pixels, never negative, as in `torch.nn.functional.pad`; sizes, kernels,
    strides and dilations are (height, width). Images may come in batches (n c h w) or alone (c h w).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

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


@dataclass(frozen=True)
class Filling:
    """The scheme that writes a value into each padded pixel, then convolves without padding.

    Attributes:
        fill: takes an image and a pad, returns the padded image.
        nested: whether a padded pixel depends on nothing but the image and its place: neither on how much is padded
            in all, nor on chance, nor on the layer. Only then do parallel convolutions of one image see one and the
            same surrounding, and may be summed into one.
    """

    fill: Fill
    nested: bool = True

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
        """Fill, then convolve."""
        return F.conv2d(self.fill(x, pad), weight, bias, stride, 0, dilation, groups)


def filled(fill: Fill, *, nested: bool = True) -> Filling:
    """The scheme that pads by `fill`; see `Filling` for `nested`."""
    return Filling(fill, nested)


class LayerScheme(ABC):
    """A scheme that also depends on its layer: on whether it trains, or on parameters that the scheme adds to it.

    Called as it is, it does what a new layer does in eval mode.
    """

    @abstractmethod
    def on_layer(self, training: bool, parameters: tuple[Tensor, ...]) -> PaddingScheme:
        """The scheme of one call of a layer.

        Args:
            training: whether the layer is in training mode.
            parameters: those of the layer's `new_module`, in their order.
        """

    def new_module(self, layer: nn.Module) -> nn.Module | None:
        """Parameters that `layer`, which has a `weight`, gets when it is converted; None where there are none."""
        return None

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
        """Convolve as a new layer in eval mode."""
        return self.on_layer(False, ())(x, weight, bias, stride, pad, dilation, groups)


def like_memory(padded: Float[Tensor, "*n c h2 w2"], x: Float[Tensor, "*n c h w"]) -> Float[Tensor, "*n c h2 w2"]:
    """`padded` in the memory format of `x`: channels-last images stay so.

    A copy where they did not: behind a layer with one input channel a group, whose weight has no format of its own,
    the rest of a network would else go on channels-first.
    """
    if x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous():
        return padded.contiguous(memory_format=torch.channels_last)
    return padded


def joined(parts: list[Float[Tensor, "..."]], dim: int) -> Float[Tensor, "..."]:
    """Parts of one image beside each other along `dim`, in its memory format; empty ones are left out.

    An empty part counts as channels-first, and torch gives what it joins the format of all parts, or that one.
    """
    whole = [part for part in parts if part.shape[dim] > 0]
    return torch.cat(whole, dim) if len(whole) > 1 else whole[0]


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
