"""Threads of OpenCV and of numpy's matrix products: none besides ours, while our threads keep all processors busy.

The key insight: between two calls, threads of such a library yield in a loop in place of sleeping, as long as calls go
on. Beside threads that have enough to do they save no time; they take processors from them, and each call waits for
one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_usual = ExitStack()
"""Restores how many threads both had before the first block."""
_inside = 0
"""How many blocks are entered."""


@contextmanager
def computing_in_callers() -> Iterator[None]:
    """Let OpenCV and numpy compute in the threads that call them, in the whole process; afterwards as before.

    Blocks may overlap, in one thread and in several: the end of the last one restores the numbers of threads. Where the
    program itself holds a limit of threadpoolctl in another thread, numpy keeps that one.
    """
    global _inside  # noqa: PLW0603 - both libraries' numbers are those of the process
    with _lock:
        if not _inside:
            with ExitStack() as limits:
                limits.enter_context(_numpy_in_callers())
                limits.callback(cv2.setNumThreads, cv2.getNumThreads())
                cv2.setNumThreads(1)
                _usual.push(limits.pop_all())
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _usual.close()


@contextmanager
def _numpy_in_callers() -> Iterator[None]:
    """Limit numpy to the calling threads, from a thread of its own: only the one that limits OpenBLAS may end that."""
    with ThreadPoolExecutor(1, "limiting numpy") as controlling:
        limited = controlling.submit(lambda: _numpy().limit(limits=1)).result()
        try:
            yield
        finally:
            controlling.submit(limited.restore_original_limits).result()


@cache
def _numpy() -> ThreadpoolController:
    """Return the control of the libraries that came with numpy.

    Not of torch's, with which clips are generated; so where both share one, as conda's packages do, it is left alone.
    Accelerate, with which numpy computes on a Mac, has no such control.
    """
    from threadpoolctl import ThreadpoolController

    package = Path(np.__file__).resolve().parent
    folders = package, package.with_name("numpy.libs")
    loaded = ThreadpoolController()
    files = [Path(library["filepath"]) for library in loaded.info()]
    return loaded.select(filepath=[str(file) for file in files if any(map(file.is_relative_to, folders))])
