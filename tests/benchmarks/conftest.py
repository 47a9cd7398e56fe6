"""What every measurement needs."""

import os
from importlib.metadata import version
from typing import Any

import pytest
import torch

from borderlab.device import device_name


@pytest.fixture(autouse=True)
def _nothing_but_the_code_is_timed(request: pytest.FixtureRequest) -> None:
    """Checks of shapes and types, on by default in tests, cost more than some of what is compared."""
    measured = request.config.getoption("--benchmark-enable") or request.config.getoption("--benchmark-only")
    if measured and os.environ.get("BORDERLAB_CHECK_SHAPES", "1") != "0":
        pytest.fail("set BORDERLAB_CHECK_SHAPES=0, or use `make benchmark`: shape checks would be timed as well")


def pytest_itemcollected(item: pytest.Item) -> None:
    """`make check` leaves benchmarks out; `make test` runs each of them once, untimed."""
    item.add_marker(pytest.mark.slow)


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Say in the JSON file which devices and versions its figures belong to; the plugin knows Python and the CPU."""
    kinds = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    machine_info["devices"] = [device_name(torch.device(kind)) for kind in kinds]
    machine_info["versions"] = {"torch": torch.__version__, "timm": version("timm")}
    # glibc's, which decide more than most code does: see docs/benchmarks.md.
    settings = {name: value for name, value in os.environ.items() if name.startswith(("MALLOC_", "GLIBC_"))}
    machine_info["malloc"] = settings
