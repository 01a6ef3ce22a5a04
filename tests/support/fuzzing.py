"""How many examples a property is tried on: a few in `make test`, many times as many in `make test-slow`."""

from __future__ import annotations

import os

_TIMES = int(os.environ.get("SPACEDIFF_FUZZ", "1"))


def examples(count: int) -> int:
    """The number of examples in this lane, for a number in the fast one."""
    return count * _TIMES
