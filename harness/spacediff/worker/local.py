"""The worker that is this process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from spacediff.environment import determining
from spacediff.plan import Run
from spacediff.progress import Progress
from spacediff.record import RunRecord
from spacediff.sources.dispatch import Sources
from spacediff.worker.files import write_clip, write_trace
from spacediff.worker.records import measured


class LocalWorker:
    """Produces runs in this process.

    Args:
        environment: This machine, as `environment()` describes it.
        reuse: Whether runs take over what an earlier one computed that shares everything before it.
        keep_latents: Whether the latents of each step are kept.
    """

    def __init__(self, environment: Mapping[str, str], *, reuse: bool = True, keep_latents: bool = True) -> None:
        self._determining = determining(dict(environment))
        self._sources = Sources(reuse=reuse, keep_latents=keep_latents)

    def key(self, run: Run) -> str:
        """Return a run's identity."""
        return run.key(self._determining | {"checkpoint": self._sources.checkpoint_stamp(run)})

    def check(self, run: Run) -> None:
        """Check whether a run could be produced, without loading anything.

        Raises:
            NotMeasuredError: The run asks for a device that this machine lacks.
        """
        self._sources.check(run)

    def produce(self, run: Run, key: str, folder: Path, progress: Progress) -> RunRecord:
        """Produce a run, and write its files.

        Raises:
            NotMeasuredError: There is no clip; the message says why.
        """
        produced = self._sources.produce(run, folder, progress)
        place = Path("runs") / key
        trace = write_trace(produced, folder, place)
        return measured(run, key, produced, write_clip(produced, folder, place), trace)

    def close(self) -> None:
        """Release what was loaded, and end what was started, the tiny Space among it."""
        self._sources.close()
