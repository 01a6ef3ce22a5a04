"""One local run: load, copy, apply the Settings in the order in which scripts do, generate, resolve."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Clip
from spacediff.errors import (
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
from spacediff.sources.local.isolation import feed, refuse_other_sizes
from spacediff.sources.local.library_warnings import warnings_of_libraries
from spacediff.sources.local.noise import generator_for
from spacediff.sources.local.numerics import numerics
from spacediff.sources.local.pipeline import Checkpoints
from spacediff.sources.local.placement import default_placement, place, refuse_what_cannot_run
from spacediff.sources.local.resolve import completed, resolved
from spacediff.sources.local.reuse import Reuse, resume
from spacediff.sources.local.steps import steps_to
from spacediff.sources.local.tracing import trace_record

if TYPE_CHECKING:
    import torch

_Frames = NDArray[np.floating[Any]]
"""float32 `[T, H, W, 3]` in 0..1."""


class LocalSource:
    """Generates clips here, one after the other, loading each checkpoint once and computing nothing twice.

    Args:
        reuse: Whether a run takes over what an earlier one computed that shares everything before it.
        keep_latents: Whether the latents of each step are kept.
    """

    def __init__(self, *, reuse: bool = True, keep_latents: bool = True) -> None:
        self._checkpoints = Checkpoints()
        self._reuse = Reuse() if reuse else None
        self._keep_latents = keep_latents
        self._to_feed: tuple[tuple[str, str, int], Sequence[torch.Tensor]] | None = None

    def generate(
        self,
        declared: Settings,
        prompt: str,
        seed: int,
        progress: Progress,
        *,
        fresh: bool = False,
        fed_by: Settings | None = None,
    ) -> Produced:
        """Generate one clip.

        Args:
            declared: What the scenario says; the rest is filled from the library.
            prompt: The prompt's text.
            seed: The prompt's seed; `rng.seed` has the last word.
            progress: Called for loading and for every denoising step.
            fresh: Whether everything has to be computed, as for a re-run.
            fed_by: Settings whose latents are fed into each of the steps, so that it shows its own error alone.

        Raises:
            NotMeasuredError: The Settings cannot run here; the message says why.
        """
        if fed_by is not None:
            return self._fed(declared, fed_by, prompt, seed, progress)
        try:
            return self._generated(declared, prompt, seed, progress, reuse=None if fresh else self._reuse)
        except _NotResumedError:  # its denoiser gives other shapes from step to step, or the like
            return self._generated(declared, prompt, seed, progress, reuse=None)

    def _generated(
        self, declared: Settings, prompt: str, seed: int, progress: Progress, *, reuse: Reuse | None
    ) -> Produced:
        began = time.monotonic()
        with self._prepared(declared, seed, progress) as ready:
            progress.on_status("generating")
            called = self._called(ready, prompt, reuse=reuse, keep_latents=self._keep_latents)
        return ready.produced(called, seconds=time.monotonic() - began)

    def _fed(self, declared: Settings, fed_by: Settings, prompt: str, seed: int, progress: Progress) -> Produced:
        """Generate with another run's latents fed into each step; they are not kept again."""
        began = time.monotonic()
        refuse_other_sizes(declared, fed_by)
        asked = (fed_by.digest(), prompt, seed)
        if self._to_feed is None or self._to_feed[0] != asked:
            self._to_feed = asked, self._latents(fed_by, prompt, seed, progress)
        with self._prepared(declared, seed, progress) as ready:
            progress.on_status("generating")
            fed = feed(ready.pipeline, self._to_feed[1])
            called = self._called(ready, prompt, reuse=None, keep_latents=False)
        fed.refuse_other_lengths()
        return ready.produced(called, own_errors=fed.errors, seconds=time.monotonic() - began)

    def _latents(self, declared: Settings, prompt: str, seed: int, progress: Progress) -> Sequence[torch.Tensor]:
        """Return the latents of a run to the last bit, which the audit folder does not hold."""
        with self._prepared(declared, seed, progress) as ready:
            progress.on_status("generating the latents to feed")
            called = self._called(ready, prompt, reuse=None, keep_latents=True)
        return called.seen.latents

    @contextmanager
    def _prepared(self, declared: Settings, seed: int, progress: Progress) -> Iterator[_Ready]:
        """Load, copy and place a pipeline, and put what is global to torch where the Settings say."""
        refuse_what_cannot_run(declared)
        progress.on_status("loading the checkpoint")
        checkpoint, ignored = self._checkpoints.load(declared)
        pipeline = checkpoint.fresh_pipeline()
        placement = declared.value("placement") or default_placement()
        seed = declared.value("rng.seed", seed)
        with warnings_of_libraries() as messages, numerics(declared):
            ignored += apply_settings(pipeline, declared)
            arguments = call_arguments(pipeline, declared)
            place(pipeline, placement)
            pipeline.progress_bar = steps_to(progress)
            settings = resolved(declared, checkpoint, pipeline, seed, placement)
            yield _Ready(pipeline, declared, settings, arguments, ignored, messages, checkpoint.warnings)

    def _called(self, ready: _Ready, prompt: str, *, reuse: Reuse | None, keep_latents: bool) -> _Called:
        """Call a pipeline, observed; resume it after the denoising where an earlier run got as far."""
        pipeline, settings = ready.pipeline, ready.settings
        with ExitStack() as stack:
            generator = stack.enter_context(generator_for(ready.declared, settings.value("rng.seed")))
            shared = reuse.share_embeddings(pipeline, settings) if reuse else []
            if reuse and (end := reuse.denoised(prompt, settings)):
                resume(pipeline, end, generator)
                observer = stack.enter_context(observing_decoding(pipeline, end.seen))
                try:
                    frames = _frames(ready, prompt, generator)
                except NotMeasuredError as error:
                    raise _NotResumedError from error
                shared = ["text embeddings", "latents"]
            else:
                observer = stack.enter_context(observing(pipeline, keep_latents=keep_latents))
                if reuse:
                    stack.enter_context(reuse.keeping(pipeline, prompt, settings, observer, generator))
                frames = _frames(ready, prompt, generator)
        return _Called(frames, observer.seen, tuple(shared))


class _NotResumedError(Exception):
    """A run could not take over the end of an earlier one's denoising."""


@dataclass(frozen=True)
class _Called:
    """What a call of a pipeline gave.

    Attributes:
        frames: The clip.
        seen: What was observed.
        shared: What was taken over from an earlier run.
    """

    frames: _Frames
    seen: Observation
    shared: tuple[str, ...]


@dataclass(frozen=True)
class _Ready:
    """A pipeline that is ready to be called.

    Attributes:
        pipeline: The run's own, placed.
        declared: What the scenario says.
        settings: All settings, resolved.
        arguments: What the scenario says of the call.
        ignored: Arguments that a library accepted without using them.
        messages: What the libraries log; grows while the pipeline runs.
        warnings: What they logged while loading.
    """

    pipeline: Any
    declared: Settings
    settings: Settings
    arguments: dict[str, Any]
    ignored: tuple[Ignored, ...]
    messages: list[str]
    warnings: tuple[str, ...]

    def produced(self, called: _Called, *, seconds: float, own_errors: Sequence[float] = ()) -> Produced:
        """Return the clip with everything that is known of it."""
        clip = Clip.from_floats(
            called.frames,
            Fraction(str(self.settings.value("output.fps"))).limit_denominator(100_000),
            rounding=self.settings.value("output.rounding"),
        )
        return Produced(
            clip=clip,
            settings=completed(self.settings, clip, called.seen.noise),
            described=f"{type(self.pipeline).__name__} {self.settings.value('model.id')}",
            seconds=seconds,
            ignored=self.ignored,
            warnings=(*self.warnings, *(m for m in self.messages if "will be ignored" not in m)),
            trace=trace_record(called.seen, shared=called.shared, own_errors=own_errors),
            latents=called.seen.latents,
        )


def _frames(ready: _Ready, prompt: str, generator: torch.Generator | None) -> _Frames:
    """Call the pipeline; return the clip."""
    try:
        output = ready.pipeline(prompt=prompt, generator=generator, output_type="np", **ready.arguments)
    except NotMeasuredError:
        raise
    except Exception as error:
        raise _generation_error(error, ready.settings.value("placement")) from error
    frames = np.asarray(output.frames[0] if hasattr(output, "frames") else output.images)
    return frames if frames.ndim == 4 else frames[None]  # noqa: PLR2004 - an image is a clip of one frame


def _generation_error(error: Exception, placement: str) -> NotMeasuredError:
    """Return why a generation failed, and what to do about it."""
    import torch

    said = failure(error)
    if placement == "sequential_cpu_offload" and not torch.cuda.is_available():
        return DeviceUnavailable(
            f"sequential offload needs an accelerator: onto the CPU, accelerate cannot rebuild the weights: {said}"
        )
    if isinstance(error, torch.cuda.OutOfMemoryError):
        smaller = "try placement = 'model_cpu_offload' and vae.tiling = true"
        return OutOfMemory(f"the GPU's memory is too small: {said}", hint=smaller)
    if is_out_of_memory(error):
        return OutOfMemory(f"the memory is too small: {said}", hint="try fewer frames, or vae.tiling = true")
    return GenerationFailed(f"the generation failed: {said}")
