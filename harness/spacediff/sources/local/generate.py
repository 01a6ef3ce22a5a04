"""One local run: load the checkpoint, copy its pipeline, apply the Settings in the order of a script, generate."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spacediff.inputs.files import Input
from spacediff.observer.following import Latents
from spacediff.observer.structure import blocks_of, pipelines_of
from spacediff.progress import Progress
from spacediff.record import LATENTS
from spacediff.settings import Settings
from spacediff.sources import Produced, Stopped
from spacediff.sources.local.adapters.applied import load_adapters
from spacediff.sources.local.calling import PipelineResult, ReadyPipeline, kept, observed, resumed
from spacediff.sources.local.configure import apply_settings, call_arguments
from spacediff.sources.local.inputs import Asked, input_defaults, prompt_arguments
from spacediff.sources.local.isolation import Feed, Recorder, refuse_other_sizes
from spacediff.sources.local.isolation import Latents as FedLatents
from spacediff.sources.local.library_warnings import warnings_of_libraries
from spacediff.sources.local.loading.checkpoints import Checkpoints
from spacediff.sources.local.noise import generator_for
from spacediff.sources.local.numerics.attention import dispatched_attention
from spacediff.sources.local.numerics.compilation import compilation
from spacediff.sources.local.numerics.switches import numerics
from spacediff.sources.local.packages import refuse_missing_packages
from spacediff.sources.local.placement import placement_of, refuse_what_cannot_run
from spacediff.sources.local.resolve import resolved
from spacediff.sources.local.reuse import NotResumedError, Reuse
from spacediff.sources.local.scheduler_fit import scheduler_warnings
from spacediff.sources.local.screening import Compared, Screen
from spacediff.sources.local.stamps import stamp_of
from spacediff.sources.local.steps import steps_to
from spacediff.sources.local.transplant import Donor, Transplant
from spacediff.sources.local.vae import tile_warnings
from spacediff.sources.local.weights import release


class LocalSource:
    """Generates clips in this process. Consecutive runs share a loaded checkpoint and, by default, other results.

    Args:
        reuse: Whether a run reuses the results of an earlier one with the same settings up to that stage.
        keep_latents: Whether the latents of each step are kept.
        ends: Folder for the ends of denoisings; a temporary one by default.
        machine: Identifies what else determines a clip, such as the versions of the libraries.
    """

    def __init__(
        self, *, reuse: bool = True, keep_latents: bool = True, ends: Path | None = None, machine: str = ""
    ) -> None:
        self._checkpoints = Checkpoints()
        self._reuse = Reuse(ends) if reuse else None
        self._keep_latents = keep_latents
        self._machine = machine
        self._to_feed: tuple[tuple[Any, ...], FedLatents] | None = None

    def close(self) -> None:
        """Remove the ends of denoisings that nobody needs any more."""
        if self._reuse:
            self._reuse.close()

    def load(self, declared: Settings) -> None:
        """Load the checkpoint of a run that will be generated later.

        Raises:
            NotMeasuredError: It cannot be loaded here; the run will say the same.
        """
        refuse_what_cannot_run(declared)
        self._checkpoints.load(declared)

    def generate(
        self,
        declared: Settings,
        prompt: str,
        seed: int,
        progress: Progress,
        *,
        inputs: Sequence[Input] = (),
        fresh: bool = False,
        fed_by: Settings | None = None,
        donor: Mapping[str, Any] | None = None,
        run: str = "",
        is_target: bool = False,
    ) -> Produced:
        """Generate one clip.

        Args:
            declared: The Settings of the scenario; the library's defaults fill the rest.
            prompt: The prompt's text.
            seed: The prompt's seed; `rng.seed` overrides it.
            progress: Receives the loading of the checkpoint and every denoising step.
            inputs: The prompt's input pictures and videos.
            fresh: Whether to compute everything again, as for a re-run.
            fed_by: Settings of another run whose latents each step starts from, to isolate the error of each step.
            donor: The recorded call whose tensors each stage starts from, as the request of a run names it.
            run: The identity of the run, for what is kept of it if its process ends.
            is_target: Whether other runs end early by comparison with this one: then its end stays, with the latents.

        Raises:
            NotMeasuredError: The Settings cannot run on this machine; the message says why.
        """
        asked = Asked(prompt, tuple(inputs))
        if donor:
            return self._generate_transplanted(declared, Donor.read(donor), asked, seed, progress)
        if fed_by is not None:
            return self._generate_fed(declared, fed_by, asked, seed, progress)
        target = run if is_target else ""
        try:
            reuse = None if fresh else self._reuse
            return self._generate(declared, asked, seed, progress, reuse=reuse, run=run, target=target)
        except NotResumedError:  # for example, the shape of its latents changes between steps
            return self._generate(declared, asked, seed, progress, reuse=None)

    def screen(
        self,
        declared: Settings,
        prompt: str,
        seed: int,
        progress: Progress,
        compared: Compared,
        *,
        inputs: Sequence[Input] = (),
        fresh: bool = False,
        run: str = "",
    ) -> Produced | Stopped:
        """Generate until enough is seen of how the run differs from another; see `spacediff.run.Stop`.

        Args:
            declared: The Settings of the scenario; the library's defaults fill the rest.
            prompt: The prompt's text.
            seed: The prompt's seed; `rng.seed` overrides it.
            progress: Receives the loading of the checkpoint and every denoising step.
            compared: What it is compared with.
            inputs: The prompt's input pictures and videos.
            fresh: Whether to compute everything again, as for a re-run.
            run: The identity of the run, for what is kept of it if its process ends.

        Raises:
            NotMeasuredError: The Settings cannot run on this machine; the message says why.
        """
        asked = Asked(prompt, tuple(inputs))
        try:
            reuse = None if fresh else self._reuse
            return self._screen(declared, asked, seed, progress, compared, reuse=reuse, run=run)
        except NotResumedError:
            return self._screen(declared, asked, seed, progress, compared, reuse=None)

    def latents_of_target(self, run: str) -> Latents | None:
        """Return the exact latents of a run that was generated as a target; None where they are not kept."""
        return self._reuse.latents_of_target(run) if self._reuse else None

    def _generate(
        self,
        declared: Settings,
        asked: Asked,
        seed: int,
        progress: Progress,
        *,
        reuse: Reuse | None,
        run: str = "",
        target: str = "",
    ) -> Produced:
        began = time.monotonic()
        with self._prepared(declared, asked, seed, progress, run) as ready:
            result = self._run_pipeline(ready, reuse=reuse, keep_latents=self._keep_latents)
            if reuse is not None and target:
                reuse.keep_target(self._subject(ready), ready.settings, target)
        return ready.produced(result, seconds=time.monotonic() - began)

    def _screen(
        self,
        declared: Settings,
        asked: Asked,
        seed: int,
        progress: Progress,
        compared: Compared,
        *,
        reuse: Reuse | None,
        run: str = "",
    ) -> Produced | Stopped:
        began = time.monotonic()
        with self._prepared(declared, asked, seed, progress, run) as ready:
            screen = Screen(compared, ready.settings)
            result = self._run_pipeline(ready, reuse=reuse, keep_latents=self._keep_latents, screen=screen)
        if screen.ended:
            return ready.stopped(result, screen, seconds=time.monotonic() - began)
        return ready.produced(result, seconds=time.monotonic() - began)

    def _generate_fed(
        self, declared: Settings, fed_by: Settings, asked: Asked, seed: int, progress: Progress
    ) -> Produced:
        """Generate with the latents of another run as the input of each step; the run's own latents are not kept."""
        began = time.monotonic()
        refuse_other_sizes(declared, fed_by)
        identity = (fed_by.digest(), asked.identity, seed)
        if self._to_feed is None or self._to_feed[0] != identity:
            self._to_feed = identity, self._latents(fed_by, asked, seed, progress)
        with self._prepared(declared, asked, seed, progress) as ready:
            fed = Feed(ready.pipeline, self._to_feed[1])
            result = self._run_pipeline(ready, reuse=None, keep_latents=False)
            fed.close()
        return ready.produced(result, own_errors=fed.errors, seconds=time.monotonic() - began)

    def _generate_transplanted(
        self, declared: Settings, donor: Donor, asked: Asked, seed: int, progress: Progress
    ) -> Produced:
        """Generate with the tensors of a recording as the input of each stage."""
        began = time.monotonic()
        with self._prepared(declared, asked, seed, progress) as ready:
            transplant = Transplant(ready.pipeline, donor)
            result = self._run_pipeline(ready, reuse=None, keep_latents=False)
        return transplant.applied_to(ready.produced(result, seconds=time.monotonic() - began))

    def _latents(self, declared: Settings, asked: Asked, seed: int, progress: Progress) -> FedLatents:
        """Generate the exact latents of a run; the audit folder may have them in half precision only."""
        with self._prepared(declared, asked, seed, progress) as ready:
            recorder = Recorder(ready.pipeline)
            self._run_pipeline(ready, reuse=None, keep_latents=False)
            return recorder.latents()

    @contextmanager
    def _prepared(
        self, declared: Settings, asked: Asked, seed: int, progress: Progress, run: str = ""
    ) -> Iterator[ReadyPipeline]:
        """Load and copy a pipeline, and apply torch's global switches inside the block; release it afterwards."""
        refuse_what_cannot_run(declared)
        progress.on_status("loading the checkpoint")
        checkpoint, ignored = self._checkpoints.load(declared)
        pipeline = checkpoint.fresh_pipeline()
        placement = placement_of(declared)
        seed = declared.value("rng.seed", seed)
        try:
            with numerics(declared):
                adapters = load_adapters(pipeline, declared)
            with (
                warnings_of_libraries() as messages,
                numerics(declared),
                dispatched_attention(pipeline, declared),
                compilation(declared),
            ):
                refuse_missing_packages(pipeline)
                ignored += adapters.ignored + apply_settings(pipeline, declared)
                arguments = call_arguments(pipeline, declared)
                given, notes = prompt_arguments(pipeline, asked, declared)
                for steps_of in (*pipelines_of(pipeline), *blocks_of(pipeline)):
                    steps_of.progress_bar = steps_to(progress)
                settings = resolved(declared, checkpoint, pipeline, seed, placement)
                settings = settings.filled_from(adapters.settings).filled_from(input_defaults(asked.inputs))
                wrong = (*scheduler_warnings(pipeline, checkpoint.pipeline), *tile_warnings(pipeline, settings))
                progress.on_status("; ".join(("generating", *(f"warning: {each}" for each in wrong))))
                warnings = (*checkpoint.warnings, *adapters.warnings, *notes, *wrong)
                arguments |= given
                yield ReadyPipeline(run, pipeline, asked, declared, settings, arguments, ignored, messages, warnings)
        finally:
            release(pipeline)

    def _run_pipeline(
        self, ready: ReadyPipeline, *, reuse: Reuse | None, keep_latents: bool, screen: Screen | None = None
    ) -> PipelineResult:
        """Place and call a pipeline and observe it; skip the denoising if an earlier run has computed the same."""
        with generator_for(ready.declared, ready.settings.value("rng.seed")) as generator:
            if reuse is None:
                return observed(ready, generator, keep_latents=keep_latents, screen=screen)
            subject = self._subject(ready)
            end = reuse.denoised(subject, ready.settings)
            if end is None:
                return kept(ready, generator, reuse, subject, keep_latents=keep_latents, screen=screen)
            if screen is not None:
                screen.take_over(end.seen)
                if screen.ended:
                    return PipelineResult(None, end.seen, (LATENTS,))
            result = resumed(ready, generator, reuse, subject, end=end)
            reuse.decoded(subject, ready.settings)
            return result

    def _subject(self, ready: ReadyPipeline) -> str:
        """Return what determines the denoising besides the settings."""
        files, asked = stamp_of(ready.settings), ready.asked.identity
        determining = (self._machine, files, asked, self._keep_latents)  # with latents, the end contains them
        return hashlib.sha256(repr(determining).encode()).hexdigest()
