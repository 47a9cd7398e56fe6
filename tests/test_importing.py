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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "left_out"),
    [
        ("borderlab.training.run", {"pandas", "matplotlib", "scipy", "sklearn", "pandera", "rich.progress"}),
        ("borderlab.report.run", {"torch", "timm"}),
        ("borderlab.propagation.synthesis", {"torch", "pandas"}),
    ],
)
def test_a_job_imports_nothing_that_it_has_no_use_for(module: str, left_out: set[str]) -> None:
    code = f"import sys, borderlab.cli, {module}; print(sorted({left_out} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
