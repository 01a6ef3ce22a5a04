"""The worker that runs in this process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from spacediff.environment import determining
from spacediff.progress import Progress
from spacediff.record import RunRecord
from spacediff.run import Run
from spacediff.sources.dispatch import Sources
from spacediff.worker.files import write_clip, write_trace
from spacediff.worker.records import measured


class LocalWorker:
    """Produces runs in this process.

    Args:
        environment: The description of this machine, from `environment()`.
        reuse: Whether a run reuses the results of an earlier one with the same settings up to that stage.
        keep_latents: Whether the latents of each step are kept.
    """

    def __init__(self, environment: Mapping[str, str], *, reuse: bool = True, keep_latents: bool = True) -> None:
        self._determining = determining(dict(environment))
        self._sources = Sources(reuse=reuse, keep_latents=keep_latents)

    def key(self, run: Run) -> str:
        """Return the hash that identifies a run."""
        return run.key(self._determining | {"checkpoint": self._sources.checkpoint_stamp(run)})

    def check(self, run: Run) -> None:
        """Check whether this machine can produce a run, without loading anything.

        Raises:
            NotMeasuredError: The run needs a device that this machine does not have.
        """
        self._sources.check(run)

    def produce(self, run: Run, key: str, folder: Path, progress: Progress) -> RunRecord:
        """Produce a run and write its files.

        Raises:
            NotMeasuredError: There is no clip; the message says why.
        """
        produced = self._sources.produce(run, folder, progress)
        place = Path("runs") / key
        trace = write_trace(produced, folder, place)
        return measured(run, key, produced, write_clip(produced, folder, place), trace)

    def close(self) -> None:
        """Release loaded models, and stop everything that was started, including the tiny Space."""
        self._sources.close()
