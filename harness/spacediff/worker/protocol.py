"""What an executor asks of a worker."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from spacediff.plan import Run
from spacediff.progress import Progress
from spacediff.record import RunRecord


class Worker(Protocol):
    """Produces runs, one at a time; what runs share, such as a loaded checkpoint, is kept until `close`."""

    def key(self, run: Run) -> str:
        """Return a run's identity: a hash of all that determines its clip, the worker's environment included."""

    def check(self, run: Run) -> None:
        """Check whether a run could be produced, without loading anything.

        Raises:
            NotMeasuredError: The worker's machine lacks something for it.
        """

    def produce(self, run: Run, key: str, folder: Path, progress: Progress) -> RunRecord:
        """Produce a run.

        Args:
            run: The run.
            key: Its identity.
            folder: Where its files are written. The record names them by the place that the store gives to the key.
            progress: Called as the work goes on.

        Raises:
            NotMeasuredError: There is no clip; the message says why.
        """

    def close(self) -> None:
        """Release what was loaded, and end what was started."""
