"""One local run: load the checkpoint, copy its pipeline, apply the Settings in the order of a script, generate."""

from __future__ import annotations

import hashlib
import inspect
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacediff.clip import PICTURES_FPS, Clip
from spacediff.devices import accelerator
from spacediff.errors import (
    DecodingOutOfMemory,
    DeviceUnavailable,
    GenerationFailed,
    NotMeasuredError,
    OutOfMemory,
    failure,
    is_out_of_memory,
)
from spacediff.inputs.files import Input
from spacediff.observer.observation import Observation
from spacediff.observer.observer import observing, observing_decoding
from spacediff.observer.structure import blocks_of, pipelines_of
from spacediff.progress import Progress
from spacediff.record import Ignored
from spacediff.settings import Settings
from spacediff.sources import Produced
from spacediff.sources.local.adapters.applied import load_adapters
from spacediff.sources.local.configure import apply_settings, call_arguments
from spacediff.sources.local.denoised import Denoised
from spacediff.sources.local.inert_guidance import inert_guidance
from spacediff.sources.local.inputs import Asked, input_defaults, prompt_arguments
from spacediff.sources.local.isolation import Feed, Latents, Recorder, refuse_other_sizes
from spacediff.sources.local.library_warnings import warnings_of_libraries
from spacediff.sources.local.loading.checkpoints import Checkpoints
from spacediff.sources.local.noise import generator_for
from spacediff.sources.local.numerics.attention import dispatched_attention
from spacediff.sources.local.numerics.compilation import compilation
from spacediff.sources.local.numerics.switches import numerics
from spacediff.sources.local.output import Output, read_output
from spacediff.sources.local.packages import refuse_missing_packages
from spacediff.sources.local.placement import place, placement_of, refuse_what_cannot_run
from spacediff.sources.local.refusals import explained_refusals, place_of
from spacediff.sources.local.resolve import completed, resolved, without_effect
from spacediff.sources.local.reuse import NotResumedError, Reuse, resume
from spacediff.sources.local.scheduler_fit import scheduler_warnings
from spacediff.sources.local.stamps import stamp_of
from spacediff.sources.local.steps import steps_to
from spacediff.sources.local.tracing import trace_record
from spacediff.sources.local.transplant import Donor, Transplant
from spacediff.sources.local.weights import keep_host_weights, release

if TYPE_CHECKING:
    import torch


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
        self._to_feed: tuple[tuple[Any, ...], Latents] | None = None

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

        Raises:
            NotMeasuredError: The Settings cannot run on this machine; the message says why.
        """
        asked = Asked(prompt, tuple(inputs))
        if donor:
            return self._generate_transplanted(declared, Donor.read(donor), asked, seed, progress)
        if fed_by is not None:
            return self._generate_fed(declared, fed_by, asked, seed, progress)
        try:
            return self._generate(declared, asked, seed, progress, reuse=None if fresh else self._reuse, run=run)
        except NotResumedError:  # for example, the shape of its latents changes between steps
            return self._generate(declared, asked, seed, progress, reuse=None)

    def _generate(
        self, declared: Settings, asked: Asked, seed: int, progress: Progress, *, reuse: Reuse | None, run: str = ""
    ) -> Produced:
        began = time.monotonic()
        with self._prepared(declared, asked, seed, progress, run) as ready:
            result = self._run_pipeline(ready, reuse=reuse, keep_latents=self._keep_latents)
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

    def _latents(self, declared: Settings, asked: Asked, seed: int, progress: Progress) -> Latents:
        """Generate the exact latents of a run; the audit folder may have them in half precision only."""
        with self._prepared(declared, asked, seed, progress) as ready:
            recorder = Recorder(ready.pipeline)
            self._run_pipeline(ready, reuse=None, keep_latents=False)
            return recorder.latents()

    @contextmanager
    def _prepared(
        self, declared: Settings, asked: Asked, seed: int, progress: Progress, run: str = ""
    ) -> Iterator[_ReadyPipeline]:
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
                unserved = scheduler_warnings(pipeline, checkpoint.pipeline)
                progress.on_status("; ".join(("generating", *(f"warning: {each}" for each in unserved))))
                warnings = (*checkpoint.warnings, *adapters.warnings, *notes, *unserved)
                arguments |= given
                yield _ReadyPipeline(run, pipeline, asked, declared, settings, arguments, ignored, messages, warnings)
        finally:
            release(pipeline)

    def _run_pipeline(self, ready: _ReadyPipeline, *, reuse: Reuse | None, keep_latents: bool) -> _PipelineResult:
        """Place and call a pipeline and observe it; skip the denoising if an earlier run has computed the same."""
        with generator_for(ready.declared, ready.settings.value("rng.seed")) as generator:
            if reuse is None:
                return _observed(ready, generator, keep_latents=keep_latents)
            subject = self._subject(ready)
            end = reuse.denoised(subject, ready.settings)
            if end is None:
                return _kept(ready, generator, reuse, subject, keep_latents=keep_latents)
            result = _resumed(ready, generator, reuse, subject, end=end)
            reuse.decoded(subject, ready.settings)
            return result

    def _subject(self, ready: _ReadyPipeline) -> str:
        """Return what determines the denoising besides the settings."""
        files, asked = stamp_of(ready.settings), ready.asked.identity
        determining = (self._machine, files, asked, self._keep_latents)  # with latents, the end contains them
        return hashlib.sha256(repr(determining).encode()).hexdigest()


def _observed(ready: _ReadyPipeline, generator: torch.Generator | None, *, keep_latents: bool) -> _PipelineResult:
    ready.place()
    with observing(ready.pipeline, keep_latents=keep_latents, arguments=ready.settings.table("call")) as observer:
        output = _output(ready, generator)
    return _PipelineResult(output, observer.seen)


def _kept(
    ready: _ReadyPipeline,
    generator: torch.Generator | None,
    reuse: Reuse,
    subject: str,
    *,
    keep_latents: bool,
) -> _PipelineResult:
    """Call a pipeline, and keep its embeddings and the end of its denoising."""
    ready.place()
    embedding = reuse.share_embeddings(ready.pipeline, subject, ready.settings, ready.run)
    with (
        observing(ready.pipeline, keep_latents=keep_latents, arguments=ready.settings.table("call")) as observer,
        reuse.keeping(ready.pipeline, subject, ready.settings, observer, generator, embedding=embedding),
    ):
        output = _output(ready, generator)
    return _PipelineResult(output, observer.seen, tuple(embedding.taken))


def _resumed(
    ready: _ReadyPipeline,
    generator: torch.Generator | None,
    reuse: Reuse,
    subject: str,
    *,
    end: Denoised,
) -> _PipelineResult:
    """Call a pipeline that only decodes the end of an earlier denoising.

    Raises:
        NotResumedError: It has to denoise after all.
    """
    resume(ready.pipeline, end, generator)
    ready.place()
    reuse.share_embeddings(ready.pipeline, subject, ready.settings, ready.run, end)
    with observing_decoding(ready.pipeline, end.seen) as observer:
        try:
            output = _output(ready, generator)
        except OutOfMemory as error:
            raise DecodingOutOfMemory(error.message, host=error.host) from error
        except NotMeasuredError as error:
            raise NotResumedError from error
    if ready.run and end.made_by == ready.run:  # its process ended before it was decoded
        return _PipelineResult(output, observer.seen, end.shared)
    embeddings = ("text embeddings",) if end.seen.embeddings else ()  # a pipeline may take no text
    return _PipelineResult(output, observer.seen, (*embeddings, "latents"))


@dataclass(frozen=True)
class _PipelineResult:
    """The result of a pipeline call.

    Attributes:
        output: The clip, and what the pipeline says of it.
        seen: The observation of the call.
        shared: Names of the results that were reused from an earlier run.
    """

    output: Output
    seen: Observation
    shared: tuple[str, ...] = ()


@dataclass(frozen=True)
class _ReadyPipeline:
    """A pipeline that is ready to be called.

    Attributes:
        run: The identity of the run; empty if nothing is kept of it.
        pipeline: The run's copy, on the CPU until it is placed.
        asked: The prompt's text and inputs.
        declared: The Settings of the scenario.
        settings: All settings, defaults included.
        arguments: The declared arguments of the call, and those from the prompt.
        ignored: Arguments that a library accepted without using them.
        messages: What the libraries log; grows while the pipeline runs.
        warnings: What the libraries logged while the checkpoint was loaded, and what is to be said of the inputs.
    """

    run: str
    pipeline: Any
    asked: Asked
    declared: Settings
    settings: Settings
    arguments: dict[str, Any]
    ignored: tuple[Ignored, ...]
    messages: list[str]
    warnings: tuple[str, ...]

    def place(self) -> None:
        """Place the pipeline as the settings say."""
        keep_host_weights(self.pipeline)
        place(self.pipeline, self.settings.value("placement"))

    def produced(self, result: _PipelineResult, *, seconds: float, own_errors: Sequence[float] = ()) -> Produced:
        """Return the clip with everything that is known about it."""
        output = result.output
        rate = Fraction(str(self.settings.value("output.fps"))).limit_denominator(100_000)
        clip = Clip.from_floats(
            output.frames,
            rate if output.medium == "video" else PICTURES_FPS,
            rounding=self.settings.value("output.rounding"),
            medium=output.medium,
        )
        return Produced(
            clip=clip,
            settings=completed(self.settings, clip, result.seen.noise),
            described=f"{type(self.pipeline).__name__} {self.settings.value('model.id')}",
            seconds=seconds,
            ignored=(*self.ignored, *self._inert_guidance(result.seen), *without_effect(self.declared, clip)),
            warnings=(*self.warnings, *output.warnings, *(m for m in self.messages if "will be ignored" not in m)),
            trace=trace_record(result.seen, shared=result.shared, own_errors=own_errors),
            latents=result.seen.latents,
            censored=output.censored,
            audio=output.audio,
        )

    def _inert_guidance(self, seen: Observation) -> list[Ignored]:
        takes = inspect.signature(self.pipeline.__call__).parameters
        guider, name = self.declared.table("guider"), type(self.pipeline).__name__
        return inert_guidance(seen.steps, self.arguments, takes, name, guider)


def _output(ready: _ReadyPipeline, generator: torch.Generator | None) -> Output:
    """Call the pipeline and return its clip, with what it says of it."""
    try:
        with explained_refusals(ready.pipeline, ready.declared):
            returned = ready.pipeline(generator=generator, output_type="np", **ready.arguments)
    except NotMeasuredError:
        raise
    except Exception as error:
        raise _generation_error(error, ready.settings.value("placement")) from error
    return read_output(returned)


def _generation_error(error: Exception, placement: str) -> NotMeasuredError:
    """Translate an exception of a pipeline call into an error with a hint."""
    import torch

    said = failure(error)
    if placement.startswith("sequential_cpu_offload") and accelerator() is None:
        return DeviceUnavailable(
            f"sequential offload failed without an accelerator, which it needs to rebuild the weights: {said}",
            hint="use another placement, or run the audit on a machine with a GPU",
        )
    if is_out_of_memory(error):
        host = not isinstance(error, torch.OutOfMemoryError)
        return OutOfMemory(f"{'this machine' if host else 'the device'} ran out of memory: {said}", host=host)
    return GenerationFailed(f"the generation failed: {said}{place_of(error)}")
