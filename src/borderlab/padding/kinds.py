"""Kinds of convolution layers: how each makes its weight, and how much it pads.

Several classes of timm override `forward` with a call of `conv2d` of their own, so that setting their `padding_mode`
would change nothing. Classes are found by the name of their `forward`, so that timm need not be imported.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch.nn.functional as F
from torch import nn

from borderlab.padding.geometry import Padding, PadRule

Traced = Any
"""A tensor, or the proxy that stands for it while torch.fx traces."""


@dataclass(frozen=True)
class LayerKind:
    """How one family of convolution layers makes its weight, and how much it pads.

    Attributes:
        weight: the weight that a layer convolves with; for a conditional layer, its experts.
        padding: how much a layer pads.
        per_sample: whether a second input mixes a weight for each image from experts.
    """

    weight: Callable[[Any], Traced]
    padding: Callable[[Any], Padding]
    per_sample: bool = False


def kind_of_class(base: type[nn.Module]) -> LayerKind | None:
    """Kind of the layers of class `base`, by the `forward` that they run; None where it is not known here."""
    if issubclass(base, nn.Conv2d) and base._conv_forward is not nn.Conv2d._conv_forward:
        return None
    return _KINDS.get(f"{base.forward.__module__}.{base.forward.__qualname__}")


def _plain_weight(layer: Any) -> Traced:
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


def _own_padding(layer: Any) -> Padding:
    return cast(Padding, layer.padding)


def _tf_same(layer: Any) -> PadRule:
    return "tf_same"


def _tf_same_or_own(layer: Any) -> Padding:
    return "tf_same" if layer.same_pad else _own_padding(layer)


def _tf_same_or_fixed(layer: Any) -> Padding:
    return "tf_same" if layer.dynamic_padding else _own_padding(layer)


_KINDS = {
    "torch.nn.modules.conv.Conv2d.forward": LayerKind(_plain_weight, _own_padding),
    "timm.layers.conv2d_same.Conv2dSame.forward": LayerKind(_plain_weight, _tf_same),
    "timm.layers.conv2d_same.Conv2dSameExport.forward": LayerKind(_plain_weight, _tf_same),
    "timm.layers.std_conv.StdConv2d.forward": LayerKind(_standardised_weight, _own_padding),
    "timm.layers.std_conv.StdConv2dSame.forward": LayerKind(_standardised_weight, _tf_same_or_own),
    "timm.layers.std_conv.ScaledStdConv2d.forward": LayerKind(_scaled_standardised_weight, _own_padding),
    "timm.layers.std_conv.ScaledStdConv2dSame.forward": LayerKind(_scaled_standardised_weight, _tf_same_or_own),
    "timm.layers.cond_conv2d.CondConv2d.forward": LayerKind(_plain_weight, _tf_same_or_fixed, per_sample=True),
}
