from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import numpy as np
import psutil
import pytest

from spacediff.freed_memory import return_freed_memory


def resident() -> int:
    return int(psutil.Process().memory_info().rss)


GLIBC = pytest.mark.skipif(sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"), reason="glibc's")
HEAPS = """
import ctypes, os, sys, threading
from spacediff.freed_memory import share_heaps
if sys.argv[1:]:
    share_heaps()
together = threading.Barrier(6)
def allocate():
    kept = bytearray(10_000)
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype, libc.malloc_info.argtypes = ctypes.c_void_p, (ctypes.c_int, ctypes.c_void_p)
stream = libc.fdopen(os.dup(1), b"w")
libc.malloc_info(0, stream)
libc.fflush(None)
"""


def heaps(*arguments: str, **variables: str) -> int:
    """Return how many heaps a program has that allocates in six threads at the same time."""
    command = [sys.executable, "-c", HEAPS, *arguments]
    inherited = {name: text for name, text in os.environ.items() if name not in {"MALLOC_ARENA_MAX", "GLIBC_TUNABLES"}}
    return subprocess.run(command, env=inherited | variables, check=True, stdout=-1).stdout.count(b"<heap nr=")


@GLIBC
def test_the_threads_of_a_program_share_two_heaps_unless_the_user_has_chosen() -> None:
    assert heaps() > 3
    assert heaps("shared") == 2
    assert heaps("shared", MALLOC_ARENA_MAX="4") == 4
    assert heaps("shared", GLIBC_TUNABLES="glibc.malloc.arena_max=3") == 3


@GLIBC
def test_what_small_arrays_have_left_goes_back_to_the_system() -> None:
    return_freed_memory()
    arrays = [np.ones(8_000) for _ in range(1_000)]
    full = resident()
    last = arrays[-1]  # keeps the end of the heap in use
    del arrays
    return_freed_memory()
    assert resident() < full - 50 * 2**20
    assert last.sum() == 8_000
