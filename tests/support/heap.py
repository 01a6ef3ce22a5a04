"""What the C library has handed out, which Python's own counters do not see."""

from __future__ import annotations

import ctypes
import gc

_FIELDS = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")


class _MallInfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in _FIELDS]


def bytes_in_use() -> int | None:
    """Return the bytes of the heap that are in use, by glibc's mallinfo2; None where the C library has no such."""
    try:
        asked = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):
        return None
    asked.restype = _MallInfo
    gc.collect()
    found = asked()
    return int(found.uordblks + found.hblkhd)
