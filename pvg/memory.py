"""Keep freed memory: a training step frees and asks again for the same few megabytes, hundreds of times a second."""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def keep_memory(limit: int = 1 << 28) -> bool:
    """Have the C library keep up to ``limit`` bytes that tensors have freed, instead of giving them back at once.

    Giving them back costs page faults on the next use: up to a fifth of an iteration's CPU time, depending on
    where in the heap the tensors happen to lie. Returns whether the C library is glibc and agreed.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(M_TRIM_THRESHOLD, limit)) and bool(mallopt(M_MMAP_THRESHOLD, min(limit, 1 << 25)))
