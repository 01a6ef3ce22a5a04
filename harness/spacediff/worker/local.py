"""The worker that generates in the process that calls it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from spacediff.environment import OF_SOME_RUNS, determining, environment
from spacediff.errors import NotMeasuredError, OutOfMemory
from spacediff.fitting.advice import memory_advice
from spacediff.fitting.refusal import refuse_what_cannot_fit
from spacediff.progress import Progress
from spacediff.record import RunRecord
from spacediff.run import Run
from spacediff.sources import Produced, Stopped
from spacediff.sources.local.generate import LocalSource
from spacediff.sources.local.inputs import refuse_without_inputs
from spacediff.sources.local.placement import refuse_what_cannot_run
from spacediff.worker.files import write_run
from spacediff.worker.records import stopped
from spacediff.worker.targets import Target, Targets


class LocalWorker:
    """Generates runs in this process.

    Args:
        described: The description of this machine; by default `environment()`, when it is first asked for.
        computing: Whether torch computes here, so that its description belongs to that of the machine.
        reuse: Whether a run reuses the results of an earlier one with the same settings up to that stage.
        keep_latents: Whether the latents of each step are kept.
        ends: Folder for the ends of denoisings; a temporary one by default.
    """

    def __init__(
        self,
        described: Mapping[str, str] | None = None,
        *,
        computing: bool = True,
        reuse: bool = True,
        keep_latents: bool = True,
        ends: Path | None = None,
    ) -> None:
        self._described = described
        self._computing = computing
        self._reuse = reuse
        self._keep_latents = keep_latents
        self._ends = ends

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """The versions and devices of this machine."""
        return environment(computing=self._computing) if self._described is None else self._described

    @cached_property
    def _source(self) -> LocalSource:
        packages = {name: self.environment[name] for name in OF_SOME_RUNS if name in self.environment}
        machine = repr(sorted((determining(dict(self.environment)) | packages).items()))
        return LocalSource(reuse=self._reuse, keep_latents=self._keep_latents, ends=self._ends, machine=machine)

    @cached_property
    def _targets(self) -> Targets:
        return Targets(self._source.latents_of_target)

    def prepare(self, run: Run) -> None:
        """Load the checkpoint of a run, unless the run will be refused."""
        with suppress(NotMeasuredError):
            self.check(run)
            self._source.load(run.settings)

    def check(self, run: Run) -> None:
        """Check whether this machine has the devices of a run and the memory for its weights, and the run its inputs.

        Raises:
            NotMeasuredError: A device is missing, or too small, or the pipeline needs an input that is not there.
        """
        refuse_what_cannot_run(run.settings)
        refuse_without_inputs(run.settings, run.prompt.inputs)
        if not run.anyway:
            refuse_what_cannot_fit(run)

    def produce(self, run: Run, key: str, folder: Path, progress: Progress) -> RunRecord:
        """Generate a run and write its files.

        Raises:
            NotMeasuredError: There is no clip; the message says why.
        """
        self.check(run)
        target = self._targets.of(run.stop, folder) if run.stop else None
        try:
            if target is None:
                return write_run(run, key, self._whole(run, key, progress), folder, progress)
            produced = self._until(target, run, key, progress)
        except OutOfMemory as error:
            error.hint = memory_advice(run.settings, run.changes, host=error.host)
            raise
        if isinstance(produced, Stopped):
            return stopped(run, key, produced, target.record)
        return write_run(run, key, produced, folder, progress)

    def _whole(self, run: Run, key: str, progress: Progress) -> Produced:
        return self._source.generate(
            run.settings,
            run.prompt.text,
            run.prompt.seed,
            progress,
            inputs=run.prompt.inputs,
            fresh=run.repeat > 0,
            fed_by=run.fed_by,
            donor=run.request,
            run=key,
            is_target=run.is_target,
        )

    def _until(self, target: Target, run: Run, key: str, progress: Progress) -> Produced | Stopped:
        """Generate until enough is seen of how the run differs from its target."""
        prompt = run.prompt
        return self._source.screen(
            run.settings,
            prompt.text,
            prompt.seed,
            progress,
            target.compared,
            inputs=prompt.inputs,
            fresh=run.repeat > 0,
            run=key,
        )

    def close(self) -> None:
        """Remove what was kept for later runs."""
        if "_source" in vars(self):  # otherwise nothing was generated
            self._source.close()
