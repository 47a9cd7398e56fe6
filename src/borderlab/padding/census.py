"""Modules that pad outside the convolutions which a conversion reaches.

Classes are found by name along a module's ancestry, so that timm need not be imported.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

Rule = Callable[[Any], str | None]


def own_padding(module: nn.Module) -> str | None:
    """How `module` pads by itself, or None where it does not."""
    if isinstance(module, torch.jit.ScriptModule):
        return "compiled by TorchScript: its convolutions cannot be reached"
    for ancestor in type(module).__mro__:
        rule = _RULES.get(f"{ancestor.__module__}.{ancestor.__qualname__}")
        if rule is not None:
            return rule(module)
    return None


def _amounts(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)


def _pads(module: Any) -> bool:
    if isinstance(module.padding, str):
        return module.padding != "valid" and max(_amounts(module.kernel_size)) > 1
    return max(_amounts(module.padding)) > 0


def _if_padded(reason: str) -> Rule:
    def rule(module: Any) -> str | None:
        return reason if _pads(module) else None

    return rule


def _if_window(reason: str) -> Rule:
    def rule(module: Any) -> str | None:
        return reason if max(_amounts(module.kernel_size)) > 1 else None

    return rule


def _average(module: Any) -> str | None:
    return "averages over padded zeros" if _pads(module) and module.count_include_pad else None


def _transposed(module: Any) -> str | None:
    axes = zip(module.kernel_size, module.stride, module.dilation, strict=True)
    overlaps = any(dilation * (kernel - 1) + 1 > stride for kernel, stride, dilation in axes)
    return "transposed convolution: windows overlap less at the border" if overlaps else None


def _conditional(module: Any) -> str | None:
    return "makes its kernel from its input" if module.dynamic_padding or _pads(module) else None


def _always(reason: str) -> Rule:
    def rule(module: Any) -> str | None:
        return reason

    return rule


def _each_dimension(pattern: str, rule: Rule) -> dict[str, Rule]:
    return {f"torch.nn.modules.{pattern.format(n)}": rule for n in (1, 2, 3)}


_RULES: dict[str, Rule] = {
    **_each_dimension("pooling.MaxPool{}d", _if_padded("pads with -inf")),
    **_each_dimension("pooling.AvgPool{}d", _average),
    **_each_dimension("conv.ConvTranspose{}d", _transposed),
    "torch.nn.modules.conv.Conv1d": _if_padded("not a two-dimensional convolution"),
    "torch.nn.modules.conv.Conv3d": _if_padded("not a two-dimensional convolution"),
    "torch.nn.modules.fold.Unfold": _if_padded("unfolds padded zeros"),
    "torch.nn.modules.padding._ConstantPadNd": _if_padded("pads with a constant"),
    "torch.nn.modules.padding._ReflectionPadNd": _if_padded("pads by reflection"),
    "torch.nn.modules.padding._ReplicationPadNd": _if_padded("pads by replication"),
    "torch.nn.modules.padding._CircularPadNd": _if_padded("pads circularly"),
    "timm.layers.pool2d_same.MaxPool2dSame": _if_window("pads with -inf"),
    "timm.layers.pool2d_same.AvgPool2dSame": _if_window("averages over padded zeros"),
    "timm.layers.blur_pool.BlurPool2d": _if_padded("pads in its own forward pass"),
    "timm.layers.cond_conv2d.CondConv2d": _conditional,
    "timm.layers.halo_attn.HaloAttn": _always("pads keys and values with zeros"),
    "timm.layers.median_pool.MedianPool2d": _always("pads by reflection"),
}
