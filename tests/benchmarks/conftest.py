"""What every measurement needs."""

import os

import pytest


@pytest.fixture(autouse=True)
def _nothing_but_the_code_is_timed(request: pytest.FixtureRequest) -> None:
    """Checks of shapes and types, on by default in tests, cost more than some of what is compared."""
    measured = request.config.getoption("--benchmark-enable") or request.config.getoption("--benchmark-only")
    if measured and os.environ.get("BORDERLAB_CHECK_SHAPES", "1") != "0":
        pytest.fail("set BORDERLAB_CHECK_SHAPES=0, or use `make benchmark`: shape checks would be timed as well")
