"""Provenance: local changes kept within bounds and without secrets, lock file, energy where it can be read."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from borderlab import energy, provenance
from borderlab.provenance import DIFF_LIMIT_CHARACTERS, Stopwatch, describe


def facts() -> dict:
    for cached in (provenance.git_commit, provenance.git_dirty, provenance.git_diff):
        cached.cache_clear()
    return describe(Stopwatch(), "cpu: any")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch):
    """A checkout with one module, and the folder's own lock file."""
    (tmp_path / "src").mkdir()
    for name in ("src/module.py", "config.yaml"):
        (tmp_path / name).write_text("first = 1\n")
    (tmp_path / "constraints.txt").write_text("torch==2.13.0\n")
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org")
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for cached in (provenance.git_commit, provenance.git_dirty, provenance.git_diff):
        cached.cache_clear()


def test_a_clean_checkout_has_no_diff(checkout: Path) -> None:
    found = facts()
    assert found["git_dirty"] is False
    assert found["git_diff"] is found["git_diff_sha256"] is None
    assert found["constraints_sha256"] == hashlib.sha256(b"torch==2.13.0\n").hexdigest()
    assert len(found["environment_sha256"]) == 64


def test_changes_of_code_are_kept_without_secrets(checkout: Path) -> None:
    (checkout / "src" / "module.py").write_text('first = 2\nAPI_KEY = "1234"\nurl = "https://me:pw@example.org"\n')
    (checkout / "config.yaml").write_text("mine: alone\n")
    found = facts()
    assert found["git_dirty"] is True
    assert "+first = 2" in found["git_diff"]
    for kept_out in ("1234", "pw@", "alone"):
        assert kept_out not in found["git_diff"]
    assert found["git_diff"].count("may hold a secret") == 2
    assert found["git_diff_sha256"] == hashlib.sha256(found["git_diff"].encode()).hexdigest()


def test_a_long_diff_is_cut_and_its_hash_is_of_all(checkout: Path) -> None:
    digests = set()
    for last in ("one", "other"):
        (checkout / "src" / "module.py").write_text("".join(f"line = {k}\n" for k in range(20_000)) + f"{last} = 1\n")
        found = facts()
        assert len(found["git_diff"]) == DIFF_LIMIT_CHARACTERS
        digests.add(found["git_diff_sha256"])
    assert len(digests) == 2


def test_outside_of_a_checkout_nothing_is_known(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    found = facts()
    assert found["git_commit"] is found["git_diff"] is found["constraints_sha256"] is None


@pytest.fixture
def rapl(tmp_path: Path, monkeypatch) -> Path:
    """One package with a part; no GPU."""
    for zone, value in (("intel-rapl:0", 9_000_000), ("intel-rapl:0:0", 1)):
        (tmp_path / zone).mkdir()
        (tmp_path / zone / "energy_uj").write_text(f"{value}\n")
        (tmp_path / zone / "max_energy_range_uj").write_text("10000000\n")
    monkeypatch.setattr(energy, "RAPL", tmp_path)
    monkeypatch.setattr(energy, "_gpus", dict)
    energy._ranges.cache_clear()
    yield tmp_path
    energy._ranges.cache_clear()


def test_energy_goes_on_where_the_counter_starts_again(rapl: Path) -> None:
    stopwatch = Stopwatch()
    (rapl / "intel-rapl:0" / "energy_uj").write_text("9500000\n")
    assert stopwatch.energy_j == {"package-0": 0.5}
    (rapl / "intel-rapl:0" / "energy_uj").write_text("1000000\n")
    assert stopwatch.energy_j == {"package-0": 2.0}


def test_a_later_start_counts_what_earlier_ones_spent(rapl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"wall": 100.0, "cpu": 10.0}
    monkeypatch.setattr("borderlab.provenance.time.perf_counter", lambda: clock["wall"])
    monkeypatch.setattr("borderlab.provenance.time.process_time", lambda: clock["cpu"])
    first = Stopwatch()
    clock |= {"wall": 160.0, "cpu": 90.0}
    (rapl / "intel-rapl:0" / "energy_uj").write_text("9500000\n")
    left = first.reading()
    # Another process, whose clocks stand elsewhere, on a machine whose counter cannot be read.
    clock |= {"wall": 5.0, "cpu": 1.0}
    (rapl / "intel-rapl:0" / "energy_uj").unlink()
    second = Stopwatch()
    second.go_on_from(left)
    clock |= {"wall": 12.0, "cpu": 4.0}
    assert (second.wall_time_s, second.cpu_time_s, second.energy_j) == (67.0, 83.0, {"package-0": 0.5})
    assert (second.started, second.starts) == (first.started, 2)
    third = Stopwatch()
    third.go_on_from(second.reading())
    assert (third.wall_time_s, third.cpu_time_s, third.starts) == (67.0, 83.0, 3)


def test_energy_that_cannot_be_read_is_absent(rapl: Path) -> None:
    stopwatch = Stopwatch()
    (rapl / "intel-rapl:0" / "energy_uj").unlink()
    assert stopwatch.energy_j == {}
    assert Stopwatch().energy_j == {}
