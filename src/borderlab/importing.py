"""Quick imports of what is heavy.

torch, its optimisers' compiler and timm make some million objects that stay for as long as the process lives. Python's
garbage collector goes through all of them again and again while they are made: a fifth of the time to a training's
first step.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def heavy_imports() -> Iterator[None]:
    """Collect no garbage within; afterwards never look again for garbage among what was imported.

    Does nothing where torch is imported already: what stands then may still become garbage.
    """
    if "torch" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
