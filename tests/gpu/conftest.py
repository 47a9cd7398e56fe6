"""Where the checks of this folder compute: on the CPU always, on the GPU where there is one."""

import os
from collections.abc import Iterator

import pytest
import torch


def _gpu() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda", 0)
    if os.environ.get("BORDERLAB_GPU") == "1":
        pytest.fail("torch sees no GPU, and `make gpu-check` must not pass without one")
    pytest.skip("NOT CHECKED ON A GPU: torch sees none; `make gpu-check` on a machine that has one")


@pytest.fixture
def gpu() -> torch.device:
    """The GPU."""
    return _gpu()


@pytest.fixture(params=["cpu", "cuda"])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Both of them, one after the other."""
    return torch.device("cpu") if request.param == "cpu" else _gpu()


@pytest.fixture(autouse=True)
def _exact_products() -> Iterator[None]:
    """Single precision that is single precision: no TF32 within convolutions."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before
