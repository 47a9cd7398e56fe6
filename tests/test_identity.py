"""A result's hash follows what its code does, and nothing else."""

from pathlib import Path

import pytest

from borderlab import identity
from borderlab.identity import code_hash, code_modules


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small package in place of borderlab's own sources."""
    files = {
        "work.py": "from borderlab.tools import add\nfrom borderlab.data import create\n",
        "tools.py": '"""Tools."""\ndef add(a, b):\n    """Sum."""\n    return a + b  # really\n',
        "page.py": "x = 1\n",
        "data/__init__.py": "from borderlab.data.digits import Digits\nfrom borderlab.data.camvid import CamVid\n",
        "data/digits.py": "class Digits: ...\n",
        "data/camvid.py": "class CamVid: ...\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "__init__.py").touch()
    members = frozenset({"borderlab.data.digits", "borderlab.data.camvid"})
    monkeypatch.setattr(identity, "files", lambda name: tmp_path)
    monkeypatch.setattr(identity, "_registry_members", lambda: members)
    return tmp_path


def fresh_hash(*members: str) -> str:
    for cached in (code_hash, code_modules, identity._imports, identity._module_hash, identity._path_of):
        cached.cache_clear()
    return code_hash("borderlab.work", members)


@pytest.fixture(autouse=True)
def _leave_no_cache() -> object:
    yield
    for cached in (code_hash, code_modules, identity._imports, identity._module_hash, identity._path_of):
        cached.cache_clear()


def test_comments_docstrings_and_layout_do_not_count(package: Path) -> None:
    before = fresh_hash()
    (package / "tools.py").write_text("def add(a,\n        b):\n    return (a + b)\n")
    assert fresh_hash() == before


def test_what_imported_code_does_counts(package: Path) -> None:
    before = fresh_hash()
    (package / "tools.py").write_text("def add(a, b):\n    return a - b\n")
    assert fresh_hash() != before


def test_code_that_is_not_imported_does_not_count(package: Path) -> None:
    before = fresh_hash()
    (package / "page.py").write_text("x = 2\n")
    assert fresh_hash() == before


@pytest.mark.parametrize(("edited", "counts"), [("digits", True), ("camvid", False)])
def test_only_registry_members_in_use_count(package: Path, edited: str, counts: bool) -> None:
    before = fresh_hash("borderlab.data.digits")
    (package / "data" / f"{edited}.py").write_text("y = 3\n")
    assert (fresh_hash("borderlab.data.digits") != before) is counts


def test_training_does_not_depend_on_the_report() -> None:
    modules = code_modules("borderlab.training.run")
    assert "borderlab.models.factory" in modules
    assert not [name for name in modules if name.startswith(("borderlab.report", "borderlab.cli", "borderlab.config"))]
