import subprocess
import sys

import pytest

import borderlab.padding
from borderlab.padding.names import PADDING_MODE_MODULES, PADDING_MODE_NAMES
from borderlab.padding.registry import PADDING_MODES


def test_names_equal_the_registry():
    assert tuple(PADDING_MODES) == PADDING_MODE_NAMES == tuple(PADDING_MODE_MODULES)
    assert set(PADDING_MODE_NAMES) >= {"zeros", "reflect", "replicate", "circular", "partial"}


def test_names_are_read_without_torch():
    code = "import sys, borderlab.padding.names; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_package_offers_what_it_promises():
    for name in borderlab.padding.__all__:
        assert getattr(borderlab.padding, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = borderlab.padding.nothing
