"""Padding schemes: one file and one line in `names` each, and the conversion of whole models.

Importing this package does not import torch, so that a configuration can be checked quickly; what needs torch is
loaded when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from borderlab.padding.convert import set_padding_mode
    from borderlab.padding.partial import coverage_ratio, partial_conv2d
    from borderlab.padding.registry import PADDING_MODES
    from borderlab.padding.report import ConversionReport

__all__ = ["PADDING_MODES", "ConversionReport", "coverage_ratio", "partial_conv2d", "set_padding_mode"]

_HOMES = {
    "PADDING_MODES": "registry",
    "ConversionReport": "report",
    "coverage_ratio": "partial",
    "partial_conv2d": "partial",
    "set_padding_mode": "convert",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
