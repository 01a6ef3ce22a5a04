"""Waits for a GPU quota to be renewed, where the user asked for that: a Space that names the time is asked again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from spacediff.errors import GpuUnavailable, QuotaExceeded
from spacediff.interrupts import raise_if_interrupted
from spacediff.progress import Progress

_WITHOUT_A_GPU = 60.0
"""Seconds until a Space that got no GPU is asked again; such a call cost no quota."""
_MARGIN = 5.0
"""Seconds that are waited besides those that the Space named."""
_LOOKED_EVERY = 0.5
_SAID_EVERY = 10.0

_Found = TypeVar("_Found")


class QuotaWait:
    """How long an audit may wait for quotas.

    Args:
        seconds: For all its clips together; 0 for not at all.
        margin: Seconds that are waited besides those that a Space names.
    """

    def __init__(self, seconds: float, margin: float = _MARGIN) -> None:
        self._left = seconds
        self._margin = margin

    def kept(self, fetch: Callable[[], _Found], progress: Progress) -> _Found:
        """Return what `fetch` gives, after as many waits as the Space names and as there is time for.

        Args:
            fetch: Asks the Space for a clip.
            progress: Receives how long is left.

        Raises:
            QuotaExceeded: The Space names no time, or one that is too far away.
            GpuUnavailable: There is no time left to ask again.
        """
        while True:
            try:
                return fetch()
            except QuotaExceeded as error:
                wait = error.wait_seconds
                if wait is None or wait + self._margin > self._left:
                    raise
                self._wait(wait + self._margin, "the GPU quota", progress)
            except GpuUnavailable:
                if self._left < _WITHOUT_A_GPU:
                    raise
                self._wait(_WITHOUT_A_GPU, "a GPU", progress)

    def _wait(self, seconds: float, what: str, progress: Progress) -> None:
        self._left -= seconds
        ends, said = time.monotonic() + seconds, 0.0
        while (now := time.monotonic()) < ends:
            raise_if_interrupted()
            if now > said:
                said = now + _SAID_EVERY
                progress.on_status(f"waiting for {what}: {_clock(ends - now)} left")
            time.sleep(min(_LOOKED_EVERY, ends - now))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
