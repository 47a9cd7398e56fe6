"""The arithmetic of a forward pass."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from borderlab.spec import Precision

_DTYPES: dict[Precision, torch.dtype] = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[Any]:
    """The context of a forward pass in the given arithmetic."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=_DTYPES[precision])
