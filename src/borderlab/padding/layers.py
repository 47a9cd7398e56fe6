"""Convolution layers that pad by a registered scheme.

A layer is converted by changing its class: parameters, buffers, hooks and state-dict keys stay what and where they
are, and changing the class back gives the original layer, bit for bit. Several classes of timm override `forward`
with a call of `conv2d` of their own, so that setting their `padding_mode` would change nothing; here each known kind
of layer says how it makes its weight and how much it pads.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from borderlab.errors import PaddingError
from borderlab.padding.base import Pair
from borderlab.padding.geometry import Padding, PadRule, resolve_pad
from borderlab.padding.registry import PADDING_MODES

Traced = Any
"""A tensor, or the proxy that stands for it while torch.fx traces."""


@dataclass(frozen=True)
class LayerKind:
    """How one family of convolution layers makes its weight, and how much it pads."""

    weight: Callable[[nn.Conv2d], Traced]
    padding: Callable[[nn.Conv2d], Padding]


def layer_kind(layer: nn.Conv2d) -> LayerKind | None:
    """Kind of `layer`, or None where its forward pass is not known here.

    The kind is that of the class whose `forward` the layer runs. timm's classes are found by name, so that timm need
    not be imported.
    """
    if "forward" in vars(layer):
        return None
    base = unpadded_class(layer)
    if base._conv_forward is not nn.Conv2d._conv_forward:
        return None
    return _KINDS.get(f"{base.forward.__module__}.{base.forward.__qualname__}")


def unpadded_class(layer: nn.Conv2d) -> type[nn.Conv2d]:
    """Class of `layer` before any conversion."""
    return layer.original_class if isinstance(layer, PaddedConv2d) else type(layer)


class PaddedConv2d(nn.Conv2d):
    """Mixed in front of a convolution class: the layer pads by the scheme named by its `padding_mode`.

    Made by `pad_layer` alone. Nothing that depends on an input is kept on the layer.
    """

    original_class: ClassVar[type[nn.Conv2d]]
    kind: ClassVar[LayerKind]
    layer_name: str

    def forward(self, x: Traced) -> Traced:
        """Convolve `x` (*n c_in h w)."""
        return padded_conv2d(
            x,
            self.kind.weight(self),
            self.bias,
            cast(Pair, self.stride),
            self.kind.padding(self),
            cast(Pair, self.dilation),
            self.groups,
            self.padding_mode,
            self.layer_name,
        )

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        # The class is made on demand, so a pickle names the class that it is made from.
        return _bare_layer, (self.original_class,), self.__getstate__()


def padded_conv2d(
    x: Float[Tensor, "*n c_in h w"],
    weight: Float[Tensor, "c_out c_in_per_group k_h k_w"],
    bias: Float[Tensor, " c_out"] | None,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
    mode: str,
    layer_name: str = "convolution",
) -> Float[Tensor, "*n c_out h_out w_out"]:
    """Convolve with an amount of padding given by `padding` and a kind given by `mode`.

    Raises:
        PaddingError: if the scheme cannot pad an image of this size; the message names the layer.
    """
    size, kernel = (x.shape[-2], x.shape[-1]), (weight.shape[-2], weight.shape[-1])
    pad = resolve_pad(padding, size, kernel, stride, dilation)
    try:
        return PADDING_MODES[mode](x, weight, bias, stride, pad, dilation, groups)
    except PaddingError as error:
        raise PaddingError(f"{layer_name}: {error}") from None


# torch.fx records a call instead of tracing through arithmetic on sizes.
torch.fx.wrap("padded_conv2d")


def pad_layer(layer: nn.Conv2d, mode: str, layer_name: str) -> None:
    """Let `layer`, whose kind must be known, pad by `mode`; `zeros` gives back the layer's own class."""
    base = unpadded_class(layer)
    layer.padding_mode = mode  # type: ignore[assignment]
    if mode == "zeros":
        layer.__class__ = base
        vars(layer).pop("layer_name", None)
    else:
        layer.__class__ = _padded_class(base)
        cast(PaddedConv2d, layer).layer_name = layer_name


def _padded_class(base: type[nn.Conv2d]) -> type[PaddedConv2d]:
    """The one class that pads by a scheme and is otherwise `base`."""
    if base not in _padded_classes:
        kind = _KINDS[f"{base.forward.__module__}.{base.forward.__qualname__}"]
        members = {"original_class": base, "kind": kind}
        _padded_classes[base] = type(f"Padded{base.__name__}", (PaddedConv2d, base), members)
    return _padded_classes[base]


_padded_classes: dict[type[nn.Conv2d], type[PaddedConv2d]] = {}


def _bare_layer(base: type[nn.Conv2d]) -> PaddedConv2d:
    """A padded layer of class `base` without state, for unpickling."""
    cls = _padded_class(base)
    return cls.__new__(cls)


def _plain_weight(layer: nn.Conv2d) -> Traced:
    return layer.weight


def _standardised_weight(layer: Any) -> Traced:
    """Weight with mean 0 and variance 1 over each filter (Qiao et al. 2019, arXiv:1903.10520)."""
    return _normalise_filters(layer, None)


def _scaled_standardised_weight(layer: Any) -> Traced:
    """Standardised weight times a learned gain over the fan-in's root (Brock et al. 2021, arXiv:2101.08692)."""
    return _normalise_filters(layer, (layer.gain * layer.scale).view(-1))


def _normalise_filters(layer: Any, factor: Traced | None) -> Traced:
    # As in timm, by batch normalisation over the filters: the same operator gives the same bits.
    filters = layer.weight.reshape(1, layer.out_channels, -1)
    normal = F.batch_norm(filters, None, None, weight=factor, training=True, momentum=0.0, eps=layer.eps)
    return normal.reshape_as(layer.weight)


def _own_padding(layer: nn.Conv2d) -> Padding:
    return cast(Padding, layer.padding)


def _tf_same(layer: nn.Conv2d) -> PadRule:
    return "tf_same"


def _tf_same_or_own(layer: Any) -> Padding:
    return "tf_same" if layer.same_pad else _own_padding(layer)


_KINDS = {
    "torch.nn.modules.conv.Conv2d.forward": LayerKind(_plain_weight, _own_padding),
    "timm.layers.conv2d_same.Conv2dSame.forward": LayerKind(_plain_weight, _tf_same),
    "timm.layers.conv2d_same.Conv2dSameExport.forward": LayerKind(_plain_weight, _tf_same),
    "timm.layers.std_conv.StdConv2d.forward": LayerKind(_standardised_weight, _own_padding),
    "timm.layers.std_conv.StdConv2dSame.forward": LayerKind(_standardised_weight, _tf_same_or_own),
    "timm.layers.std_conv.ScaledStdConv2d.forward": LayerKind(_scaled_standardised_weight, _own_padding),
    "timm.layers.std_conv.ScaledStdConv2dSame.forward": LayerKind(_scaled_standardised_weight, _tf_same_or_own),
}
