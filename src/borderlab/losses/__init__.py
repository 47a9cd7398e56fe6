"""Training losses: one file and one line in `names` each.

Importing this package does not import torch, so that a configuration can be checked quickly; what needs torch is
loaded when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from borderlab.losses.base import Loss
    from borderlab.losses.neighbourhood import neighbourhood_bits
    from borderlab.losses.registry import LOSSES, create_loss
    from borderlab.losses.relaxed import RelaxedLoss, relaxed_cross_entropy

__all__ = ["LOSSES", "Loss", "RelaxedLoss", "create_loss", "neighbourhood_bits", "relaxed_cross_entropy"]

_HOMES = {
    "LOSSES": "registry",
    "Loss": "base",
    "RelaxedLoss": "relaxed",
    "create_loss": "registry",
    "neighbourhood_bits": "neighbourhood",
    "relaxed_cross_entropy": "relaxed",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
