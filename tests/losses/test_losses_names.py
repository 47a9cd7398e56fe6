import subprocess
import sys

import pytest

import borderlab.losses
from borderlab.errors import ConfigError
from borderlab.losses import create_loss
from borderlab.losses.names import LOSS_MODULES, LOSS_NAMES
from borderlab.losses.registry import LOSSES
from borderlab.spec import LossSpec


def test_names_equal_the_registry():
    assert tuple(LOSSES) == LOSS_NAMES == tuple(LOSS_MODULES) == ("cross_entropy", "relaxed")


def test_names_are_read_without_torch():
    code = "import sys, borderlab.losses.names; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_package_offers_what_it_promises():
    for name in borderlab.losses.__all__:
        assert getattr(borderlab.losses, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = borderlab.losses.nothing


def test_unknown_loss_is_refused():
    with pytest.raises(ConfigError, match=r"loss.name: got 'dice'; use one of cross_entropy, relaxed"):
        create_loss(LossSpec(name="dice"))
