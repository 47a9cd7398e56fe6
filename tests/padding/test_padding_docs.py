"""The example in docs/add_a_padding.md, done as the page says."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from borderlab.errors import PaddingError
from borderlab.padding import PADDING_MODES, names, set_padding_mode
from borderlab.registered import modules_by_name

PAGE = Path(__file__).parents[2] / "docs" / "add_a_padding.md"


@pytest.fixture
def symmetric(monkeypatch):
    """The page's file as a module and its line as a name; the registry is filled as on import."""
    source, line = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    module = ModuleType("borderlab.padding.symmetric")
    exec(compile(source, str(PAGE), "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    name = line.strip().strip('",')
    addresses = modules_by_name("borderlab.padding", (*names.PADDING_MODE_NAMES, name))
    assert addresses[name] == module.__name__
    monkeypatch.setitem(PADDING_MODES, name, module.SCHEME)
    return module


def test_row_of_the_page(symmetric):
    x = torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]])
    assert symmetric.symmetric_fill(x, (2, 2, 0, 0))[0, 0, 0].tolist() == [2, 1, 1, 2, 3, 4, 4, 3]


def test_model_is_converted(symmetric):
    model, x = nn.Sequential(nn.Conv2d(1, 2, 5, padding=2)), torch.randn(1, 1, 6, 6)
    set_padding_mode(model, "symmetric")
    rows = torch.tensor([1, 0, 0, 1, 2, 3, 4, 5, 5, 4])
    expected = nn.functional.conv2d(x[:, :, rows][..., rows], model[0].weight, model[0].bias)
    torch.testing.assert_close(model(x), expected)
    with pytest.raises(PaddingError, match="0: symmetric padding must be at most the map"):
        model(x[..., :1])
