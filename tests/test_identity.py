"""A result's hash follows what its code does, and nothing else."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.workflow.running import TINY, write_config

from borderlab import codefacts, codehash, libraries
from borderlab.codehash import code_hash, code_modules
from borderlab.errors import BorderlabError
from borderlab.identity import NEUTRAL, registry_members
from borderlab.workflow import Workflow


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


SNIPPET = '''"""What the parsers of Python 3.11, 3.12 and 3.13 show in different ways."""
import borderlab.files as files
class A(dict, metaclass=type):
    x: int | None = None
    def f(self, a, /, *b, c=None, **d) -> "A":
        """Docstring."""
        async def g(): return [i async for i in a if i]
        try: return f"{a!r:>{c}} {{}}" rf"\\d{b}", {**d, None: ...}
        except* OSError as fault: raise
        match a:
            case [1, *_] | {"k": True}: (y := lambda: (yield))
@(lambda x: x)
def nothing(): pass
'''


def test_code_has_one_digest_in_every_version_of_python() -> None:
    # As seen with 3.11.7, 3.12.1 and 3.13.0: colleagues with another Python find the same folders.
    assert codefacts._parsed(SNIPPET).digest == "79bbe2292015c7835e9e443ad13689f33fa8cc19b420e9d47847a5d5252d9f2e"


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


@pytest.mark.parametrize(
    ("one", "other"),
    [("f('')", "f()"), ("x = ['', 'a']", "x = ['a']"), ("x = None", "x = ''"), ("{**a}", "{None: a}"), ("x: int", "x")],
)
def test_what_differs_has_another_digest(one: str, other: str) -> None:
    assert codefacts._parsed(one).digest != codefacts._parsed(other).digest


def runs(folder: Path, change: Callable[[dict[str, Any]], object] = lambda values: None) -> set[str]:
    values: dict[str, Any] = copy.deepcopy(TINY)
    change(values)
    return set(Workflow.from_file(folder / write_config(folder, values)).plan.runs)


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        (lambda values: values["recipes"]["tiny"].update(threads=2), True),
        (lambda values: values["datasets"]["streets"]["options"].update(height=64), True),
        (lambda values: values["studies"][0].update(resources={"nodes": 2}), True),
        (lambda values: values["studies"][0].update(resources={"gpus": 1}), False),
        (lambda values: values["studies"][0].update(resources={"mem_mb": 900, "runtime_min": 9, "workers": 9}), False),
        (lambda values: values.update(folders={"data": "/elsewhere", "artifacts": "kept"}), False),
        (lambda values: values["datasets"]["streets"].update(mirror="/mirror", folder="/mine"), False),
        # Settings that are not read.
        (lambda values: values["studies"].append({**values["studies"][0], "name": "again"}), False),
    ],
)
def test_what_counts_in_the_name_of_a_run(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], counts: bool
) -> None:
    assert runs(tmp_path).isdisjoint(runs(tmp_path, change)) is counts


def test_number_of_processes_does_not_count(tmp_path: Path) -> None:
    made = []
    for nodes in (2, 4):

        def together(values: dict[str, Any], nodes: int = nodes) -> None:
            values["recipes"]["tiny"].update(batch_size=4)
            values["studies"][0].update(resources={"nodes": nodes})

        made.append(runs(tmp_path, together))
    assert made[0] == made[1]


def test_libraries_count_without_their_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = runs(tmp_path)
    real = libraries.version
    for torch, counts in (("2.13.0+cu130", False), ("2.13.1", True)):
        monkeypatch.setattr(libraries, "version", lambda name, torch=torch: torch if name == "torch" else real(name))
        libraries.library_versions.cache_clear()
        assert runs(tmp_path).isdisjoint(before) is counts
    monkeypatch.undo()
    libraries.library_versions.cache_clear()


def test_a_library_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "LIBRARIES", ("torch", "no-such-library"))
    libraries.library_versions.cache_clear()
    with pytest.raises(BorderlabError, match="no-such-library: is not installed"):
        libraries.library_versions()
    libraries.library_versions.cache_clear()
