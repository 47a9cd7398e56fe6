"""Convolution layers that pad by a registered scheme.

A layer is converted by changing its class: parameters, buffers, hooks and state-dict keys stay what and where they
are, and changing the class back gives the original layer, bit for bit. A scheme with parameters of its own, such as
`pp_pad`, adds them as the submodule `border_net`.
"""

from typing import Any, ClassVar, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from borderlab.errors import PaddingError
from borderlab.padding.base import LayerScheme, Pair
from borderlab.padding.geometry import Padding, resolve_pad
from borderlab.padding.kinds import LayerKind, Traced, kind_of_class
from borderlab.padding.registry import PADDING_MODES

BORDER_NET = "border_net"
"""Name of the submodule that holds a scheme's own parameters."""


def layer_kind(layer: nn.Module) -> LayerKind | None:
    """Kind of `layer`, or None where its forward pass is not known here."""
    return None if "forward" in vars(layer) else kind_of_class(unpadded_class(layer))


def unpadded_class(layer: nn.Module) -> type[nn.Module]:
    """Class of `layer` before any conversion."""
    return layer.original_class if isinstance(layer, PaddedLayer) else type(layer)


class PaddedLayer(nn.Module):
    """Mixed in front of a class: the layer pads by the scheme named by its `padding_mode`.

    Made by `pad_layer` alone. Nothing that depends on an input is kept on the layer.
    """

    original_class: ClassVar[type[nn.Module]]
    kind: ClassVar[LayerKind]
    layer_name: str
    padding_mode: str

    def _convolve(self, x: Traced, weight: Traced, bias: Traced | None, function: Any) -> Traced:
        layer = cast(Any, self)
        border_net = cast(Any, self._modules.get(BORDER_NET))
        return function(
            x,
            weight,
            bias,
            layer.stride,
            self.kind.padding(self),
            layer.dilation,
            layer.groups,
            self.padding_mode,
            self.layer_name,
            self.training,
            () if border_net is None else border_net.tensors(),
        )

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        # The class is made on demand, so a pickle names the class that it is made from.
        return _bare_layer, (self.original_class,), self.__getstate__()


class PaddedConv2d(PaddedLayer, nn.Conv2d):  # type: ignore[misc]
    """A convolution that pads by a scheme."""

    def forward(self, x: Traced) -> Traced:
        """Convolve `x` (*n c_in h w)."""
        return self._convolve(x, self.kind.weight(self), self.bias, padded_conv2d)


class PaddedConditionalConv2d(PaddedLayer):
    """A convolution with a kernel for each image, mixed from experts, that pads by a scheme."""

    def forward(self, x: Traced, routing_weights: Traced) -> Traced:
        """Convolve each image of `x` (n c_in h w) with experts weighted by `routing_weights` (n experts)."""
        layer = cast(Any, self)
        shape = (-1, layer.out_channels, layer.in_channels // layer.groups, *layer.kernel_size)
        weight = torch.matmul(routing_weights, self.kind.weight(self)).view(shape)
        bias = None if layer.bias is None else torch.matmul(routing_weights, layer.bias)
        return self._convolve(x, weight, bias, padded_conv2d_per_sample)


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
    training: bool = False,
    parameters: tuple[Tensor, ...] = (),
) -> Float[Tensor, "*n c_out h_out w_out"]:
    """Convolve with an amount of padding given by `padding` and a kind given by `mode`.

    Args:
        x: image or images.
        weight: kernels.
        bias: one number for each output channel.
        stride: vertical and horizontal stride.
        padding: fixed amounts (vertical, horizontal), or a rule.
        dilation: vertical and horizontal dilation.
        groups: groups of channels.
        mode: name of a registered padding mode.
        layer_name: stands in front of an error message.
        training: whether the layer trains; matters to `random`.
        parameters: those that the scheme has added to the layer.

    Raises:
        PaddingError: if the scheme cannot pad an image of this size; the message names the layer.
    """
    size, kernel = (x.shape[-2], x.shape[-1]), (weight.shape[-2], weight.shape[-1])
    pad = resolve_pad(padding, size, kernel, stride, dilation)
    scheme = PADDING_MODES[mode]
    if isinstance(scheme, LayerScheme):
        scheme = scheme.on_layer(training, parameters)
    try:
        return scheme(x, weight, bias, stride, pad, dilation, groups)
    except PaddingError as error:
        raise PaddingError(f"{layer_name}: {error}") from None


def padded_conv2d_per_sample(
    x: Float[Tensor, "n c_in h w"],
    weight: Float[Tensor, "n c_out c_in_per_group k_h k_w"],
    bias: Float[Tensor, "n c_out"] | None,
    stride: Pair,
    padding: Padding,
    dilation: Pair,
    groups: int,
    *rest: Any,
) -> Float[Tensor, "n c_out h_out w_out"]:
    """Convolve each image with kernels and a bias of its own; see `padded_conv2d` for the rest.

    The images become groups of channels of one image. All schemes treat channels alike, and the ratio of partial
    padding depends on geometry alone, so each image is padded as if it were alone.

    Raises:
        PaddingError: as `padded_conv2d`.
    """
    n = x.shape[0]
    together = None if bias is None else bias.reshape(-1)
    y = padded_conv2d(
        x.reshape(1, -1, *x.shape[2:]), weight.flatten(0, 1), together, stride, padding, dilation, groups * n, *rest
    )
    return y.reshape(n, -1, *y.shape[2:])


# torch.fx records a call instead of tracing through arithmetic on sizes.
torch.fx.wrap("padded_conv2d")
torch.fx.wrap("padded_conv2d_per_sample")


def pad_layer(layer: nn.Module, mode: str, layer_name: str) -> None:
    """Let `layer`, whose kind must be known, pad by `mode`; `zeros` gives back the layer's own class."""
    base = unpadded_class(layer)
    _set_border_net(layer, mode)
    if mode == "zeros":
        layer.__class__ = base
        vars(layer).pop("layer_name", None)
        vars(layer).pop("padding_mode", None)
        if isinstance(layer, nn.Conv2d):
            layer.padding_mode = "zeros"
    else:
        layer.__class__ = _padded_class(base)
        padded = cast(PaddedLayer, layer)
        padded.padding_mode, padded.layer_name = mode, layer_name


def _set_border_net(layer: nn.Module, mode: str) -> None:
    """Give `layer` the parameters that `mode` adds, and no others; those it has for this mode stay."""
    if getattr(layer, "padding_mode", None) == mode and isinstance(layer, PaddedLayer):
        return
    layer._modules.pop(BORDER_NET, None)
    scheme = PADDING_MODES[mode]
    module = scheme.new_module(layer) if isinstance(scheme, LayerScheme) else None
    if module is not None:
        layer.add_module(BORDER_NET, module.train(layer.training))


def _padded_class(base: type[nn.Module]) -> type[PaddedLayer]:
    """The one class that pads by a scheme and is otherwise `base`."""
    if base not in _padded_classes:
        kind = kind_of_class(base)
        if kind is None:
            raise PaddingError(f"the forward pass of {base.__name__} is not known")
        mixin = PaddedConditionalConv2d if kind.per_sample else PaddedConv2d
        members = {"original_class": base, "kind": kind}
        _padded_classes[base] = cast(type[PaddedLayer], type(f"Padded{base.__name__}", (mixin, base), members))
    return _padded_classes[base]


_padded_classes: dict[type[nn.Module], type[PaddedLayer]] = {}


def _bare_layer(base: type[nn.Module]) -> PaddedLayer:
    """A padded layer of class `base` without state, for unpickling."""
    cls = _padded_class(base)
    return cls.__new__(cls)
