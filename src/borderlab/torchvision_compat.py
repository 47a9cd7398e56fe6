"""Lets `import timm` work where torchvision's C++ operators do not load.

A torchvision wheel built for CUDA beside a CPU build of torch has no compiled operators, and `import torchvision`
then fails while it registers shape functions for `torchvision::nms` and `torchvision::qnms`. Declaring the two
schemas is enough: nothing here ever calls them. Where the operators exist (every ordinary installation, every GPU
machine) this module does nothing. Import it before timm or torchvision.
"""

import torch

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def declare_missing_operators() -> tuple[str, ...]:
    """Declare the operators that torchvision expects and that are missing; return their names.

    torchvision loads its own library before it registers anything, so whether the operators are missing can only be
    known by trying: the import is tried first, and only its failure leads to a declaration.
    """
    try:
        import torchvision  # noqa: F401
    except (RuntimeError, ImportError):
        missing = tuple(name for name in ("nms", "qnms") if not _is_defined(name))
        for name in missing:
            torch.library.define(f"torchvision::{name}", _SCHEMA)
        return missing
    return ()


def _is_defined(name: str) -> bool:
    return hasattr(torch.ops.torchvision, name)


DECLARED = declare_missing_operators()
