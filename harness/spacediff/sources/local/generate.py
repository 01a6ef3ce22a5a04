"""One local run: load the checkpoint, copy its pipeline, apply the Settings in the order of a script, generate."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Clip
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
from spacediff.observer.observation import Observation
from spacediff.observer.observer import observing, observing_decoding
from spacediff.progress import Progress
from spacediff.record import Ignored
from spacediff.settings import Settings
from spacediff.sources import Produced
from spacediff.sources.local.configure import apply_settings, call_arguments
from spacediff.sources.local.denoised import Denoised
from spacediff.sources.local.isolation import feed, refuse_other_sizes
from spacediff.sources.local.library_warnings import warnings_of_libraries
from spacediff.sources.local.noise import generator_for
from spacediff.sources.local.numerics import numerics
from spacediff.sources.local.pipeline import Checkpoints, stamp
from spacediff.sources.local.placement import default_placement, place, refuse_what_cannot_run
from spacediff.sources.local.refusals import explained_refusals
from spacediff.sources.local.resolve import completed, resolved
from spacediff.sources.local.reuse import NotResumedError, Reuse, resume
from spacediff.sources.local.steps import steps_to
from spacediff.sources.local.tracing import trace_record
from spacediff.sources.local.weights import keep_host_weights, release

if TYPE_CHECKING:
    import torch

_Frames = NDArray[np.floating[Any]]
"""float32 `[T, H, W, 3]` in 0..1."""


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
        self._to_feed: tuple[tuple[str, str, int], Sequence[torch.Tensor]] | None = None

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
        fresh: bool = False,
        fed_by: Settings | None = None,
        run: str = "",
    ) -> Produced:
        """Generate one clip.

        Args:
            declared: The Settings of the scenario; the library's defaults fill the rest.
            prompt: The prompt's text.
            seed: The prompt's seed; `rng.seed` overrides it.
            progress: Receives the loading of the checkpoint and every denoising step.
            fresh: Whether to compute everything again, as for a re-run.
            fed_by: Settings of another run whose latents each step starts from, to isolate the error of each step.
            run: The identity of the run, for what is kept of it if its process ends.

        Raises:
            NotMeasuredError: The Settings cannot run on this machine; the message says why.
        """
        if fed_by is not None:
            return self._generate_fed(declared, fed_by, prompt, seed, progress)
        try:
            return self._generate(declared, prompt, seed, progress, reuse=None if fresh else self._reuse, run=run)
        except NotResumedError:  # for example, the shape of its latents changes between steps
            return self._generate(declared, prompt, seed, progress, reuse=None)

    def _generate(
        self, declared: Settings, prompt: str, seed: int, progress: Progress, *, reuse: Reuse | None, run: str = ""
    ) -> Produced:
        began = time.monotonic()
        with self._prepared(declared, seed, progress, run) as ready:
            result = self._run_pipeline(ready, prompt, reuse=reuse, keep_latents=self._keep_latents)
        return ready.produced(result, seconds=time.monotonic() - began)

    def _generate_fed(
        self, declared: Settings, fed_by: Settings, prompt: str, seed: int, progress: Progress
    ) -> Produced:
        """Generate with the latents of another run as the input of each step; the run's own latents are not kept."""
        began = time.monotonic()
        refuse_other_sizes(declared, fed_by)
        asked = (fed_by.digest(), prompt, seed)
        if self._to_feed is None or self._to_feed[0] != asked:
            self._to_feed = asked, self._latents(fed_by, prompt, seed, progress)
        with self._prepared(declared, seed, progress) as ready:
            fed = feed(ready.pipeline, self._to_feed[1])
            result = self._run_pipeline(ready, prompt, reuse=None, keep_latents=False)
        fed.refuse_other_lengths()
        return ready.produced(result, own_errors=fed.errors, seconds=time.monotonic() - began)

    def _latents(self, declared: Settings, prompt: str, seed: int, progress: Progress) -> Sequence[torch.Tensor]:
        """Generate the exact latents of a run; the audit folder may have them in half precision only."""
        with self._prepared(declared, seed, progress) as ready:
            result = self._run_pipeline(ready, prompt, reuse=None, keep_latents=True)
        return result.seen.latents

    @contextmanager
    def _prepared(self, declared: Settings, seed: int, progress: Progress, run: str = "") -> Iterator[_ReadyPipeline]:
        """Load and copy a pipeline, and apply torch's global switches inside the block; release it afterwards."""
        refuse_what_cannot_run(declared)
        progress.on_status("loading the checkpoint")
        checkpoint, ignored = self._checkpoints.load(declared)
        pipeline = checkpoint.fresh_pipeline()
        placement = declared.value("placement") or default_placement()
        seed = declared.value("rng.seed", seed)
        try:
            with warnings_of_libraries() as messages, numerics(declared):
                ignored += apply_settings(pipeline, declared)
                arguments = call_arguments(pipeline, declared)
                pipeline.progress_bar = steps_to(progress)
                settings = resolved(declared, checkpoint, pipeline, seed, placement)
                progress.on_status("generating")
                warnings = checkpoint.warnings
                yield _ReadyPipeline(run, pipeline, declared, settings, arguments, ignored, messages, warnings)
        finally:
            release(pipeline)

    def _run_pipeline(
        self, ready: _ReadyPipeline, prompt: str, *, reuse: Reuse | None, keep_latents: bool
    ) -> _PipelineResult:
        """Place and call a pipeline and observe it; skip the denoising if an earlier run has computed the same."""
        with generator_for(ready.declared, ready.settings.value("rng.seed")) as generator:
            if reuse is None:
                return _observed(ready, prompt, generator, keep_latents=keep_latents)
            subject = self._subject(ready, prompt)
            end = reuse.denoised(subject, ready.settings)
            if end is None:
                return _kept(ready, prompt, generator, reuse, subject, keep_latents=keep_latents)
            result = _resumed(ready, prompt, generator, reuse, subject, end=end)
            reuse.decoded(subject, ready.settings)
            return result

    def _subject(self, ready: _ReadyPipeline, prompt: str) -> str:
        """Return what determines the denoising besides the settings."""
        checkpoint = stamp(ready.settings.value("model.id"))
        determining = (self._machine, checkpoint, prompt, self._keep_latents)  # with latents, the end contains them
        return hashlib.sha256(repr(determining).encode()).hexdigest()


def _observed(
    ready: _ReadyPipeline, prompt: str, generator: torch.Generator | None, *, keep_latents: bool
) -> _PipelineResult:
    ready.place()
    with observing(ready.pipeline, keep_latents=keep_latents) as observer:
        frames = _frames(ready, prompt, generator)
    return _PipelineResult(frames, observer.seen)


def _kept(
    ready: _ReadyPipeline,
    prompt: str,
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
        observing(ready.pipeline, keep_latents=keep_latents) as observer,
        reuse.keeping(ready.pipeline, subject, ready.settings, observer, generator, embedding=embedding),
    ):
        frames = _frames(ready, prompt, generator)
    return _PipelineResult(frames, observer.seen, tuple(embedding.taken))


def _resumed(
    ready: _ReadyPipeline,
    prompt: str,
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
            frames = _frames(ready, prompt, generator)
        except OutOfMemory as error:
            raise DecodingOutOfMemory(error.message, host=error.host) from error
        except NotMeasuredError as error:
            raise NotResumedError from error
    own = ready.run and end.made_by == ready.run  # its process ended before it was decoded
    return _PipelineResult(frames, observer.seen, end.shared if own else ("text embeddings", "latents"))


@dataclass(frozen=True)
class _PipelineResult:
    """The result of a pipeline call.

    Attributes:
        frames: The clip.
        seen: The observation of the call.
        shared: Names of the results that were reused from an earlier run.
    """

    frames: _Frames
    seen: Observation
    shared: tuple[str, ...] = ()


@dataclass(frozen=True)
class _ReadyPipeline:
    """A pipeline that is ready to be called.

    Attributes:
        run: The identity of the run; empty if nothing is kept of it.
        pipeline: The run's copy, on the CPU until it is placed.
        declared: The Settings of the scenario.
        settings: All settings, defaults included.
        arguments: The declared arguments of the call.
        ignored: Arguments that a library accepted without using them.
        messages: What the libraries log; grows while the pipeline runs.
        warnings: What the libraries logged while the checkpoint was loaded.
    """

    run: str
    pipeline: Any
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
        clip = Clip.from_floats(
            result.frames,
            Fraction(str(self.settings.value("output.fps"))).limit_denominator(100_000),
            rounding=self.settings.value("output.rounding"),
        )
        return Produced(
            clip=clip,
            settings=completed(self.settings, clip, result.seen.noise),
            described=f"{type(self.pipeline).__name__} {self.settings.value('model.id')}",
            seconds=seconds,
            ignored=self.ignored,
            warnings=(*self.warnings, *(m for m in self.messages if "will be ignored" not in m)),
            trace=trace_record(result.seen, shared=result.shared, own_errors=own_errors),
            latents=result.seen.latents,
        )


def _frames(ready: _ReadyPipeline, prompt: str, generator: torch.Generator | None) -> _Frames:
    """Call the pipeline and return the frames of the clip."""
    try:
        with explained_refusals(ready.pipeline, ready.declared):
            output = ready.pipeline(prompt=prompt, generator=generator, output_type="np", **ready.arguments)
    except NotMeasuredError:
        raise
    except Exception as error:
        raise _generation_error(error, ready.settings.value("placement")) from error
    frames = np.asarray(output.frames[0] if hasattr(output, "frames") else output.images)
    return frames if frames.ndim == 4 else frames[None]  # noqa: PLR2004 - an image is a clip of one frame


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
    return GenerationFailed(f"the generation failed: {said}")
