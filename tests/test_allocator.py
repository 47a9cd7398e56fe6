"""Freed pages stay: counted in page faults, each in a process of its own, as the setting is the process's."""

import ctypes
import json
import os
import platform
import subprocess
import sys

import pytest

from borderlab import allocator

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")

# Blocks are touched at their last 64 MiB only: large ones cost no memory, and the end is what would be given back.
PROGRAM = """
import ctypes, json, resource, sys
from borderlab.allocator import keep_freed_pages
keep, sizes_mib = json.loads(sys.argv[1])
if keep:
    assert keep_freed_pages()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]

def faults_of(size):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block, touched = libc.malloc(size), min(size, 1 << 26)
    libc.memset(block + size - touched, 1, touched)
    libc.free(block)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults = []
for size_mib in sizes_mib:
    faults_of(size_mib << 20)
    faults.append(faults_of(size_mib << 20))
print(json.dumps(faults))
"""
# Beyond 32 MiB glibc maps each block anew; beyond 2 GiB no threshold that fits into an int would keep it.
SIZES_MIB = (48, 600, 2600)


def second_faults(keep: bool, environment: dict[str, str] | None = None) -> list[int]:
    """Page faults when a block of each size is taken for the second time."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([keep, SIZES_MIB])],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, **(environment or {})},
    )
    faults: list[int] = json.loads(done.stdout)
    return faults


@glibc
def test_a_block_taken_again_faults_no_page() -> None:
    assert max(second_faults(keep=True)) < 50


@glibc
def test_the_default_faults_them_all_again() -> None:
    """Without this the test above would prove nothing."""
    pages = (1 << 26) // os.sysconf("SC_PAGE_SIZE")
    # Huge pages of 2 MiB, where the system uses them, fault once for 512 small ones.
    assert min(second_faults(keep=False)[1:]) >= pages // 512


@glibc
def test_the_environments_settings_do_the_same() -> None:
    environment = {"MALLOC_MMAP_THRESHOLD_": "8589934592", "MALLOC_TRIM_THRESHOLD_": "17179869184"}
    assert max(second_faults(keep=False, environment=environment)) < 50


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class WithoutMallopt:
        pass

    monkeypatch.setattr(ctypes, "CDLL", lambda name: WithoutMallopt())
    assert allocator.keep_freed_pages() is False


def test_a_refusal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        @staticmethod
        def mallopt(key: int, value: int) -> int:
            return 0

    monkeypatch.setattr(ctypes, "CDLL", lambda name: Refusing())
    assert allocator.keep_freed_pages() is False
