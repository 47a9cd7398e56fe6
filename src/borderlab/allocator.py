"""Freed memory that stays with the process, in large pages: on a CPU, page faults cost more than the arithmetic.

glibc gives every freed block of more than 32 MiB back to the system and faults it in afresh, page by page, at the
next step of training. Told to keep it, a step is up to 1.6 times as fast; the price is a resident size that does not
shrink. Same effect as the environment variables MALLOC_MMAP_THRESHOLD_ and MALLOC_TRIM_THRESHOLD_ set beyond the
largest block, without starting the process anew. Only memory of the main thread is kept: other threads have arenas of
their own, which cannot hold large blocks. Pages of 2 MiB in place of 4 KiB are worth as much again
(docs/benchmarks.md), but glibc decides on them once, when a process starts. Neither changes a bit of any result.

Source: GNU C Library manual, section 3.2.3.6, Malloc Tunable Parameters, and 39.2, Memory Allocation Tunables;
mallopt(3).
"""

import ctypes
from collections.abc import MutableMapping

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
# mallopt takes an int, and caps M_MMAP_THRESHOLD at 32 MiB: only "no block by mmap" and "never trim" reach all sizes.
_NO_BLOCK, _NEVER = 0, -1
_TOP_PAD_BYTES = 1 << 28


def keep_freed_pages() -> bool:
    """Tell glibc to keep freed memory; True if it agreed, False where the C library is another one."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl and macOS have no mallopt, Windows no library without a name
        return False
    settings = ((_M_MMAP_MAX, _NO_BLOCK), (_M_TRIM_THRESHOLD, _NEVER), (_M_TOP_PAD, _TOP_PAD_BYTES))
    agreed = [mallopt(key, value) == 1 for key, value in settings]
    return all(agreed)


_TUNABLES, _HUGE_PAGES = "GLIBC_TUNABLES", "glibc.malloc.hugetlb"


def ask_for_huge_pages(environment: MutableMapping[str, str]) -> None:
    """Let processes that start with `environment` ask for pages of 2 MiB; a choice that is there already stays.

    It needs Linux and glibc 2.35; others ignore it.
    """
    tunables = environment.get(_TUNABLES, "")
    if _HUGE_PAGES not in tunables:
        environment[_TUNABLES] = ":".join(filter(None, [tunables, f"{_HUGE_PAGES}=1"]))
