"""Passes over the frames of a clip that threads make at the same time: counted together, and ended together."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, Future, wait
from typing import Any

from spacediff.clip import Frame
from spacediff.interrupts import raise_if_interrupted
from spacediff.progress import Progress

_LOOKED_EVERY = 0.25
_SHORT_SECONDS = 2.0
"""Work of which nothing is reported."""


class Passes:
    """Some passes over the frames of a clip.

    Args:
        expected: Frames of all passes; some may turn out not to be needed.
    """

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._counter = itertools.count(1)  # of all threads: its next number is taken at once
        self._done = 0
        self._ended = False

    def on_frame(self) -> None:
        """Count a frame.

        Raises:
            CancelledError: Another pass has failed, or nobody waits for them any more.
        """
        if self._ended:
            raise CancelledError
        self._done = next(self._counter)

    def over(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield frames, and count them."""
        for frame in frames:
            self.on_frame()
            yield frame

    def wait(self, futures: Iterable[Future[Any]], progress: Progress, text: str) -> None:
        """Wait for all passes. The failure of one, or an interrupt, ends the others at their next frame.

        Args:
            futures: The passes.
            progress: Receives how many frames are done, where it takes long.
            text: What is done.
        """
        began, pending, said = time.monotonic(), set(futures), False
        try:
            while pending:
                done, pending = wait(pending, _LOOKED_EVERY)
                for each in done:
                    each.result()
                raise_if_interrupted()
                if pending and time.monotonic() - began > _SHORT_SECONDS:
                    if not said:
                        progress.on_status(text)
                    said = True
                    progress.on_step(self._done, self._expected)
        except BaseException:
            self._ended = True
            raise
