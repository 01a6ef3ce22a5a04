"""The worker of an audit: fetches what others have generated, and passes what is to be generated to another worker."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from spacediff.errors import NotMeasuredError
from spacediff.progress import Progress
from spacediff.record import RunRecord
from spacediff.run import Run
from spacediff.sources import Stopped
from spacediff.sources.hosted import HostedSource
from spacediff.worker.files import write_run
from spacediff.worker.protocol import Worker
from spacediff.worker.records import stopped
from spacediff.worker.targets import target_of_a_script


class AuditWorker:
    """Gets the clips of Spaces, programs and files, from this process; the others come from another worker.

    Args:
        generating: Generates the local runs; closed with this one.
        audit: The audit folder.
        quota_wait: Seconds that may be waited for GPU quotas of Spaces to be renewed.
    """

    def __init__(self, generating: Worker, audit: Path, quota_wait: float = 0.0) -> None:
        self._generating = generating
        self._hosted = HostedSource(audit, quota_wait)

    @property
    def environment(self) -> Mapping[str, str]:
        """The versions and devices of the machine that generates."""
        return self._generating.environment

    def prepare(self, run: Run) -> None:
        """Begin to load or to start what a run will need."""
        if run.source == "diffusers":
            self._generating.prepare(run)
        else:
            with suppress(NotMeasuredError):  # the run will meet it again
                self._hosted.prepare(run)

    def check(self, run: Run) -> None:
        """Check whether a run can be produced here.

        Raises:
            NotMeasuredError: It needs a device that this machine does not have.
        """
        if run.source == "diffusers":
            self._generating.check(run)

    def produce(self, run: Run, key: str, folder: Path, progress: Progress) -> RunRecord:
        """Produce a run and write its files.

        Raises:
            NotMeasuredError: There is no clip; the message says why.
        """
        if run.source == "diffusers":
            return self._generating.produce(run, key, folder, progress)
        target = target_of_a_script(run, folder)
        if target is None:
            return write_run(run, key, self._hosted.produce(run, folder, progress), folder)
        produced = self._hosted.follow(run, folder, progress, target.stop)
        if isinstance(produced, Stopped):
            return stopped(run, key, produced, target.record)
        return write_run(run, key, produced, folder)

    def close(self) -> None:
        """Stop everything that was started, including the tiny Space."""
        try:
            self._generating.close()
        finally:
            self._hosted.close()
