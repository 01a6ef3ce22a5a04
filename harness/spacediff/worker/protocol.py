"""The interface of a worker, as an executor uses it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from spacediff.progress import Progress
from spacediff.record import RunRecord
from spacediff.run import Run


class Worker(Protocol):
    """Produces runs, one at a time. Whatever runs share, such as a loaded checkpoint, is kept until `close`."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The versions and devices of the machine that generates, name to text; see `environment()`."""

    def prepare(self, run: Run) -> None:
        """Begin to load or start what a run will need; returns at once, and a failure shows when it is produced."""

    def check(self, run: Run) -> None:
        """Check whether the worker can produce a run, without loading anything.

        Raises:
            NotMeasuredError: The run needs a device that the worker's machine does not have.
        """

    def produce(self, run: Run, key: str, folder: Path, progress: Progress) -> RunRecord:
        """Produce a run and write its files.

        Args:
            run: The run.
            key: Its identity.
            folder: The folder to write to. The record names the files by their final place in the store.
            progress: Receives the progress.

        Raises:
            NotMeasuredError: There is no clip; the message says why.
        """

    def close(self) -> None:
        """Release loaded models, and stop everything that was started."""
