from __future__ import annotations

import sys

import numpy as np
import psutil
import pytest

from spacediff.freed_memory import return_freed_memory


def resident() -> int:
    return int(psutil.Process().memory_info().rss)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_what_small_arrays_have_left_goes_back_to_the_system() -> None:
    return_freed_memory()
    arrays = [np.ones(8_000) for _ in range(1_000)]
    full = resident()
    last = arrays[-1]  # keeps the end of the heap in use
    del arrays
    return_freed_memory()
    assert resident() < full - 50 * 2**20
    assert last.sum() == 8_000
