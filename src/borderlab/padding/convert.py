"""Sets the padding mode of every convolution of a model."""

from dataclasses import dataclass, field
from typing import cast

from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.utils.parametrize import is_parametrized

import borderlab.torchvision_compat  # noqa: F401  (so that `import timm` works after this package)
from borderlab.errors import PaddingError
from borderlab.padding.base import Pair
from borderlab.padding.census import own_padding
from borderlab.padding.fusing import guard_fusing
from borderlab.padding.geometry import can_pad
from borderlab.padding.layers import PaddedLayer, layer_kind, pad_layer, unpadded_class
from borderlab.padding.registry import PADDING_MODES
from borderlab.padding.report import ConversionReport, ConvertedLayer, LeftLayer


def set_padding_mode(model: nn.Module, mode: str, *, strict: bool = False) -> ConversionReport:
    """Let every padded two-dimensional convolution of `model` pad by `mode`, in place.

    Weights and their state-dict keys stay as they are, any mode can follow any other, and `zeros` gives the original
    layers back. Reached are `nn.Conv2d` and timm's `Conv2dSame`, `StdConv2d` and `ScaledStdConv2d` (with `Same`),
    `CondConv2d`, and the branches of `MixedConv2d`. A mode with parameters of its own (`pp_pad`) adds `border_net.*`
    to each layer, so convert before making an optimiser. Convert before compiling or tracing a model. timm's methods
    that fuse a converted model for inference stay exact or refuse, see `borderlab.padding.fusing`.

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
    for layer, entry in survey.padded:
        pad_layer(layer, mode, entry.name)
    guard_fusing(model)
    return ConversionReport(mode, tuple(entry for _, entry in survey.padded), survey.n_unpadded, tuple(survey.left))


@dataclass
class _Survey:
    """Modules by what a conversion does with them."""

    padded: list[tuple[nn.Module, ConvertedLayer]] = field(default_factory=list)
    n_unpadded: int = 0
    left: list[LeftLayer] = field(default_factory=list)


def _survey(model: nn.Module) -> _Survey:
    survey = _Survey()
    for path, module in model.named_modules():
        name = path or _kind_name(module)
        is_convolution = isinstance(module, nn.Conv2d) or layer_kind(module) is not None
        reason = _unreachable(module) if is_convolution else own_padding(module)
        if reason is not None:
            survey.left.append(LeftLayer(name, _kind_name(module), reason))
        elif is_convolution:
            _add_convolution(survey, name, module)
    return survey


def _add_convolution(survey: _Survey, name: str, layer: nn.Module) -> None:
    kernel, kind = cast(Pair, layer.kernel_size), layer_kind(layer)
    if kind is None or not can_pad(kind.padding(layer), kernel):
        survey.n_unpadded += 1
        return
    entry = ConvertedLayer(name, _kind_name(layer), kernel, cast(Pair, layer.stride), kind.padding(layer))
    survey.padded.append((layer, entry))


def _unreachable(layer: nn.Module) -> str | None:
    """Why `layer` may pad in a way that cannot be set, or None."""
    if isinstance(layer, LazyModuleMixin):
        return "not initialised: run the model once first"
    kernel, kind = cast(Pair, layer.kernel_size), layer_kind(layer)
    if kind is None:
        # It may pad by itself wherever there is more than one tap.
        return "its forward pass is not known" if max(kernel) > 1 else None
    if is_parametrized(layer) and can_pad(kind.padding(layer), kernel):
        return "parametrised: its class belongs to the parametrisation"
    return None


def _kind_name(module: nn.Module) -> str:
    return (unpadded_class(module) if isinstance(module, PaddedLayer) else type(module)).__name__


def _refusal(mode: str, left: list[LeftLayer]) -> str:
    first = ", ".join(f"{layer.name} ({layer.kind}: {layer.reason})" for layer in left[:3])
    more = f" and {len(left) - 3} more" if len(left) > 3 else ""
    return f"padding mode {mode}: {len(left)} modules pad by themselves: {first}{more}; convert without strict"
