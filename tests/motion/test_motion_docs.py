"""The example in docs/add_a_motion_model.md, done as the page says."""

import ast
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from borderlab.motion.names import MOTION_MODEL_MODULES
from borderlab.motion.registry import create_motion_model

PAGE = Path(__file__).parents[2] / "docs" / "add_a_motion_model.md"


@pytest.fixture
def phase(monkeypatch):
    """The page's model, created through the registry."""
    source, line = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    [(name, address)] = ast.literal_eval(line.strip()).items()
    module = ModuleType(address)
    exec(compile(source, str(PAGE), "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, address, module)
    monkeypatch.setitem(MOTION_MODEL_MODULES, name, address)
    return create_motion_model(name)


@pytest.mark.parametrize(("pair", "expected"), [((1, 2), (-3, 2)), ((2, 1), (3, -2))])
def test_model_of_the_page_keeps_the_contract(phase, pan_reader, pair, expected):
    flow = phase.flow(pan_reader, *pair)
    assert (flow.dtype, flow.shape, phase.name) == (np.float32, (2, 96, 128), "phase")
    assert flow.mean(axis=(1, 2)) == pytest.approx(expected, abs=0.3)
