"""An executor that generates in the process of the test, with the worker that otherwise has a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from spacediff.executor import Sequential
from spacediff.worker.hosted import AuditWorker
from spacediff.worker.local import LocalWorker


class InProcess(Sequential):
    """Executes runs in this process.

    Args:
        environment: The description of this machine.
        reuse: Whether a run reuses the results of an earlier one with the same settings up to that stage.
        keep_latents: Whether the latents of each step are kept.
    """

    def __init__(self, environment: Mapping[str, str], *, reuse: bool = True, keep_latents: bool = True) -> None:
        worker = LocalWorker(environment, reuse=reuse, keep_latents=keep_latents)
        super().__init__(AuditWorker(worker, Path()), keep_latents=keep_latents)
