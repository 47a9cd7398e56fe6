"""A result's hash follows what its code does, and nothing else."""

from pathlib import Path

import pytest

from borderlab import codefacts, codehash
from borderlab.codehash import code_hash, code_modules
from borderlab.identity import NEUTRAL, registry_members


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
    monkeypatch.setattr(codehash, "files", lambda name: tmp_path)
    return tmp_path


MEMBERS = frozenset({"borderlab.data.digits", "borderlab.data.camvid"})


def forget() -> None:
    caches = (codehash._parts, codehash._imports, codehash._sources)
    for cached in (code_hash, code_modules, codefacts.facts_of, *caches):
        cached.cache_clear()


def fresh_hash(*members: str) -> str:
    forget()
    return code_hash(("borderlab.work", *members), MEMBERS - set(members))


def test_facts_are_kept_and_a_damaged_cache_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    source = tmp_path / "code.py"
    source.write_text("import borderlab.files\nx = 1  # one\n")
    for damage in (None, "", "[]", '{"a": 1}', "not json"):
        codefacts._kept.cache_clear()
        codefacts.facts_of.cache_clear()
        if damage is not None:
            codefacts.cache_file().write_text(damage)
        facts = codefacts.facts_of(source)
        assert facts.imports == ("borderlab.files",)
        codefacts._write()
        codefacts._kept.cache_clear()
        assert facts in codefacts._kept().values()
    codefacts._kept.cache_clear()


@pytest.fixture(autouse=True)
def _leave_no_cache() -> object:
    yield
    forget()


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


def test_training_depends_on_its_own_data_set_and_not_on_report_or_plan() -> None:
    digits = "borderlab.data.digits"
    modules = code_modules(("borderlab.training.run", digits), registry_members() - {digits})
    assert {"borderlab.models.factory", "borderlab.spec", digits} <= set(modules)
    foreign = ("borderlab.report", "borderlab.cli", "borderlab.config", "borderlab.plan", "borderlab.identity")
    assert not [name for name in modules if name.startswith((*foreign, "borderlab.data.camvid"))]


def test_a_new_name_in_a_registry_renames_nothing() -> None:
    modules = code_modules(("borderlab.training.run", "borderlab.padding.partial"), NEUTRAL)
    assert "borderlab.padding.registry" in modules
    assert not [name for name in modules if name.endswith(".names")]
