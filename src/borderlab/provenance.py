"""Provenance of a result: where, when, with what and from which commit it was made.

Provenance never decides a number and is no part of a result's identity; it stands beside the result.
"""

import hashlib
import os
import platform
import re
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from borderlab import __version__
from borderlab.energy import counters, joules_since
from borderlab.libraries import library_versions

_KIB_PER_MB = 1000 * 1000 / 1024

DIFF_LIMIT_CHARACTERS = 100_000
# What a diff is kept of: code and published values. Configurations stand in a run's specification, other files may
# hold what is nobody's business.
_CODE_PATHS = (":(top)src", ":(top)workflow", ":(top)Snakefile", ":(top)papers", ":(top)constraints.txt")
_SECRET = re.compile(r"passw|secret|token|credential|api.?key|private.?key|://[^/\s]+@", re.IGNORECASE)
_LEFT_OUT = "[line left out: it may hold a secret]"
_LOCK_FILE = Path("constraints.txt")


class Stopwatch:
    """Wall and CPU time, and energy where it can be read, since it was made, and of starts of the same job before.

    What a start did after its last checkpoint was lost with it, and so was the time.
    """

    def __init__(self) -> None:
        self.started = datetime.now(UTC)
        self.starts = 1
        self._wall_s = time.perf_counter()
        self._cpu_s = time.process_time()
        self._energy = counters()
        self._earlier_j: dict[str, float] = {}

    @property
    def wall_time_s(self) -> float:
        """Seconds of all starts."""
        return time.perf_counter() - self._wall_s

    @property
    def cpu_time_s(self) -> float:
        """CPU seconds of this process and of those before it."""
        return time.process_time() - self._cpu_s

    @property
    def energy_j(self) -> dict[str, float]:
        """Joules of all starts by counter of the machine (`borderlab.energy`); empty where none can be read."""
        own = joules_since(self._energy)
        names = sorted(own.keys() | self._earlier_j.keys())
        return {name: round(own.get(name, 0.0) + self._earlier_j.get(name, 0.0), 3) for name in names}

    def reading(self) -> dict[str, Any]:
        """What a later start of the same job needs for `go_on_from`: strings, numbers and one mapping."""
        return {
            "started": self.started.isoformat(),
            "starts": self.starts,
            "wall_time_s": self.wall_time_s,
            "cpu_time_s": self.cpu_time_s,
            "energy_j": self.energy_j,
        }

    def go_on_from(self, reading: Mapping[str, Any]) -> None:
        """Count what an earlier start had spent when it took its `reading`."""
        self.started = datetime.fromisoformat(reading["started"])
        self.starts += reading["starts"]
        self._wall_s -= reading["wall_time_s"]
        self._cpu_s -= reading["cpu_time_s"]
        self._earlier_j = dict(reading["energy_j"])


def describe(stopwatch: Stopwatch, device: str, command: Sequence[str] | None = None) -> dict[str, Any]:
    """What is known about the process that makes a result.

    `git_diff` is what tracked code differs in from the commit: cut after `DIFF_LIMIT_CHARACTERS`, without lines that
    may hold a secret; `git_diff_sha256` is of the text before the cut. `constraints_sha256` is of the lock file in
    the current folder, `environment_sha256` of the names and versions of all installed packages.

    Args:
        stopwatch: started when the work began.
        device: the device that computed, such as "cpu: AMD EPYC" (see `device_name`).
        command: the command line; by default this process's own.
    """
    return {
        "command": " ".join(command if command is not None else _own_command()),
        "git_commit": git_commit(),
        "git_dirty": git_dirty(),
        **_diff_facts(),
        "constraints_sha256": _digest(_LOCK_FILE.read_bytes()) if _LOCK_FILE.is_file() else None,
        "environment_sha256": _environment_digest(),
        "started": stopwatch.started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "starts": stopwatch.starts,
        "wall_time_s": round(stopwatch.wall_time_s, 3),
        "cpu_time_s": round(stopwatch.cpu_time_s, 3),
        "peak_memory_mb": round(peak_memory_mb(), 1),
        "energy_j": stopwatch.energy_j,
        "device": device,
        "cpu_count": os.cpu_count(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {"borderlab": __version__, **library_versions()},
    }


def peak_memory_mb() -> float:
    """Largest resident size of this process so far, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak / 1e6 if sys.platform == "darwin" else peak / _KIB_PER_MB


@cache
def git_commit() -> str | None:
    """Commit of the checkout that holds the current folder; None outside of one."""
    return _git("rev-parse", "HEAD")


@cache
def git_dirty() -> bool | None:
    """Whether tracked files differ from that commit; None outside of a checkout."""
    status = _git("status", "--porcelain", "--untracked-files=no")
    return None if status is None else bool(status)


@cache
def git_diff() -> str | None:
    """What code differs in from that commit, without lines that may hold a secret; None outside of a checkout."""
    diff = _git("diff", "--no-color", "--no-ext-diff", "--no-textconv", "HEAD", "--", *_CODE_PATHS)
    if diff is None:
        return None
    return "\n".join(_LEFT_OUT if _SECRET.search(line) else line for line in diff.splitlines())


def _diff_facts() -> dict[str, str | None]:
    diff = git_diff()
    if not diff:
        return {"git_diff_sha256": None, "git_diff": None}
    return {"git_diff_sha256": _digest(diff.encode()), "git_diff": diff[:DIFF_LIMIT_CHARACTERS]}


@cache
def _environment_digest() -> str:
    names = sorted({f"{found.metadata['Name']}=={found.version}" for found in distributions()})
    return _digest("\n".join(names).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@cache
def cpu_name() -> str:
    """The processor's name, as the system gives it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _own_command() -> list[str]:
    return [Path(sys.argv[0]).name, *sys.argv[1:]]


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=20)  # noqa: S603, S607
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
