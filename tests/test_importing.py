"""Heavy imports: garbage collection rests meanwhile, and only then."""

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from borderlab.importing import heavy_imports


@pytest.fixture(autouse=True)
def _nothing_frozen() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_nothing_is_collected_within_and_what_stands_is_left_alone_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with heavy_imports():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_collection_goes_on_after_a_failed_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with pytest.raises(ModuleNotFoundError), heavy_imports():
        import a_module_that_nobody_has  # type: ignore[import-not-found]  # noqa: F401
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_nothing_changes_where_torch_stands_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", sys)
    with heavy_imports():
        assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_a_training_imports_no_table_no_page_and_no_progress_bar() -> None:
    heavy = {"pandas", "matplotlib", "scipy", "sklearn", "pandera", "rich.progress"}
    code = f"import sys, borderlab.cli, borderlab.training.run; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
