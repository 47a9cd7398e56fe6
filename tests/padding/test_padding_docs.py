"""The example in docs/add_a_padding.md, done as the page says."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from borderlab.padding import PADDING_MODES, names, set_padding_mode
from borderlab.registered import modules_by_name

PAGE = Path(__file__).parents[2] / "docs" / "add_a_padding.md"


@pytest.fixture
def edge_mean(monkeypatch):
    """The page's file as a module and its line as a name; the registry is filled as on import."""
    source, line = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    module = ModuleType("borderlab.padding.edge_mean")
    exec(compile(source, str(PAGE), "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    name = line.strip().strip('",')
    addresses = modules_by_name("borderlab.padding", (*names.PADDING_MODE_NAMES, name))
    assert addresses[name] == module.__name__
    monkeypatch.setitem(PADDING_MODES, name, module.SCHEME)
    return module


def test_row_of_the_page(edge_mean):
    x = torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]])
    assert edge_mean.edge_mean_fill(x, (2, 2, 0, 0))[0, 0, 0].tolist() == [2.5, 2.5, 1, 2, 3, 4, 2.5, 2.5]


def test_model_is_converted(edge_mean):
    model, x = nn.Sequential(nn.Conv2d(1, 2, 5, padding=2)), torch.randn(1, 1, 6, 6)
    set_padding_mode(model, "edge_mean")
    wide = torch.empty(1, 1, 10, 10)
    wide[..., 2:8, 2:8] = x
    wide[..., 2:8, [0, 1, 8, 9]] = ((x[..., 0] + x[..., 5]) / 2)[..., None]
    wide[..., [0, 1, 8, 9], :] = ((wide[..., 2, :] + wide[..., 7, :]) / 2)[..., None, :]
    expected = nn.functional.conv2d(wide, model[0].weight, model[0].bias)
    torch.testing.assert_close(model(x), expected)
