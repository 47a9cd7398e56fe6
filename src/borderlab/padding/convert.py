"""Sets the padding mode of every convolution of a model."""

from dataclasses import dataclass, field
from typing import cast

from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.utils.parametrize import is_parametrized

from borderlab.errors import PaddingError
from borderlab.padding.base import Pair
from borderlab.padding.census import own_padding
from borderlab.padding.geometry import can_pad
from borderlab.padding.layers import PaddedConv2d, layer_kind, pad_layer, unpadded_class
from borderlab.padding.registry import PADDING_MODES
from borderlab.padding.report import ConversionReport, ConvertedLayer, LeftLayer


def set_padding_mode(model: nn.Module, mode: str, *, strict: bool = False) -> ConversionReport:
    """Let every padded two-dimensional convolution of `model` pad by `mode`, in place.

    Weights and state-dict keys stay as they are, any mode can follow any other, and `zeros` gives the original
    layers back. Reached are `nn.Conv2d` and timm's `Conv2dSame`, `StdConv2d` and `ScaledStdConv2d` (with `Same`).
    Convert before compiling, tracing or fusing a model.

    Args:
        model: any module; a single convolution too.
        mode: name of a registered padding mode.
        strict: refuse a model that pads anywhere else, and leave it unchanged.

    Raises:
        PaddingError: if the mode is unknown, or if `strict` and something would be left.
    """
    if mode not in PADDING_MODES:
        raise PaddingError(f"unknown padding mode {mode!r}; use one of {', '.join(PADDING_MODES)}")
    survey = _survey(model)
    if strict and survey.left:
        raise PaddingError(_refusal(mode, survey.left))
    for name, layer in survey.padded.items():
        pad_layer(layer, mode, name)
    converted = tuple(_converted_layer(name, layer) for name, layer in survey.padded.items())
    return ConversionReport(mode, converted, survey.n_unpadded, tuple(survey.left))


@dataclass
class _Survey:
    """Convolutions by what a conversion does with them."""

    padded: dict[str, nn.Conv2d] = field(default_factory=dict)
    n_unpadded: int = 0
    left: list[LeftLayer] = field(default_factory=list)


def _survey(model: nn.Module) -> _Survey:
    survey = _Survey()
    for path, module in model.named_modules():
        name = path or type(module).__name__
        reason = _unreachable(module) if isinstance(module, nn.Conv2d) else own_padding(module)
        if reason is not None:
            survey.left.append(LeftLayer(name, _kind_name(module), reason))
        elif isinstance(module, nn.Conv2d) and _can_pad(module):
            survey.padded[name] = module
        elif isinstance(module, nn.Conv2d):
            survey.n_unpadded += 1
    return survey


def _unreachable(layer: nn.Conv2d) -> str | None:
    """Why the padding of `layer` cannot be set, or None."""
    if isinstance(layer, LazyModuleMixin):
        return "not initialised: run the model once first"
    if not _can_pad(layer):
        return None
    if is_parametrized(layer):
        return "parametrised: its class belongs to the parametrisation"
    return "its forward pass is not known" if layer_kind(layer) is None else None


def _can_pad(layer: nn.Conv2d) -> bool:
    kernel = cast(Pair, layer.kernel_size)
    kind = layer_kind(layer)
    # An unknown forward pass may pad by itself wherever there is more than one tap.
    return max(kernel) > 1 if kind is None else can_pad(kind.padding(layer), kernel)


def _converted_layer(name: str, layer: nn.Conv2d) -> ConvertedLayer:
    kind = layer_kind(layer)
    assert kind is not None, name  # noqa: S101 - the survey let known kinds alone through
    return ConvertedLayer(
        name, _kind_name(layer), cast(Pair, layer.kernel_size), cast(Pair, layer.stride), kind.padding(layer)
    )


def _kind_name(module: nn.Module) -> str:
    return (unpadded_class(module) if isinstance(module, PaddedConv2d) else type(module)).__name__


def _refusal(mode: str, left: list[LeftLayer]) -> str:
    first = ", ".join(f"{layer.name} ({layer.kind}: {layer.reason})" for layer in left[:3])
    more = f" and {len(left) - 3} more" if len(left) > 3 else ""
    return f"padding mode {mode}: {len(left)} modules pad by themselves: {first}{more}; convert without strict"
