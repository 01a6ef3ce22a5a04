"""Memory that was freed and goes back to the system.

The key insight: glibc keeps freed memory for each thread that allocates, and gives it back only from the end of a heap.
After an audit with many threads that is tens of MiB, and while large frames are scored hundreds, which nothing uses.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache


def return_freed_memory() -> None:
    """Give freed memory back to the system, where its C library can: glibc's `malloc_trim`, in milliseconds."""
    _trim()(0)


@cache
def _trim() -> Callable[[int], object]:
    if sys.platform != "linux":
        return bool
    trim: Callable[[int], object] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim or bool  # musl has none
