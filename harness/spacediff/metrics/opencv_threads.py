"""OpenCV's threads: none besides ours, while our threads keep all processors busy.

The key insight: between two calls, threads of OpenCV yield in a loop in place of sleeping, as long as calls go on.
Beside threads that have enough to do they save no time; they take processors from them, and each call waits for one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

_lock = threading.Lock()
_usual: list[int] = []
"""The number of threads before each block that is entered, the outermost first."""


@contextmanager
def opencv_in_callers() -> Iterator[None]:
    """Let OpenCV compute in the threads that call it, in the whole process; afterwards as before.

    Blocks may overlap, in one thread and in several: the end of the last one restores the number of threads.
    """
    with _lock:
        _usual.append(cv2.getNumThreads())
        cv2.setNumThreads(1)
    try:
        yield
    finally:
        with _lock:
            usual = _usual[0]
            _usual.pop()
            if not _usual:
                cv2.setNumThreads(usual)
