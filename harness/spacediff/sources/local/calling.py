"""The call of a pipeline that is ready: whole, from the end of an earlier denoising, or until enough is seen of it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
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
from spacediff.observer.following import RunEndedError
from spacediff.observer.observation import Observation
from spacediff.observer.observer import Observer, observing, observing_decoding
from spacediff.record import LATENTS, Ignored
from spacediff.settings import Settings
from spacediff.sources import Produced, Stopped
from spacediff.sources.local.denoised import Denoised
from spacediff.sources.local.inert_guidance import inert_guidance
from spacediff.sources.local.inputs import Asked
from spacediff.sources.local.output import Output, read_output
from spacediff.sources.local.placement import place
from spacediff.sources.local.refusals import explained_refusals, place_of
from spacediff.sources.local.resolve import completed, without_effect
from spacediff.sources.local.reuse import NotResumedError, Reuse, resume
from spacediff.sources.local.screening import Screen
from spacediff.sources.local.tracing import trace_record
from spacediff.sources.local.weights import keep_host_weights

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class PipelineResult:
    """The result of a pipeline call.

    Attributes:
        output: The clip, and what the pipeline says of it; None where the run ended early.
        seen: The observation of the call.
        shared: Names of the results that were reused from an earlier run.
    """

    output: Output | None
    seen: Observation
    shared: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadyPipeline:
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

    def produced(self, result: PipelineResult, *, seconds: float, own_errors: Sequence[float] = ()) -> Produced:
        """Return the clip with everything that is known about it.

        Raises:
            ValueError: The run ended early.
        """
        output = result.output
        if output is None:
            raise ValueError("the run ended early, so it has no clip")
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
            described=self._described,
            seconds=seconds,
            ignored=(*self.ignored, *self._inert_guidance(result.seen), *without_effect(self.declared, clip)),
            warnings=(*self.warnings, *output.warnings, *self._said),
            trace=trace_record(result.seen, shared=result.shared, own_errors=own_errors),
            latents=result.seen.latents,
            censored=output.censored,
            audio=output.audio,
        )

    def stopped(self, result: PipelineResult, screen: Screen, *, seconds: float) -> Stopped:
        """Return what was seen of a run that ended early."""
        seen = replace(result.seen, unobserved=tuple(n for n in result.seen.unobserved if n != "decoding"))
        return Stopped(
            settings=self.settings,
            described=self._described,
            seconds=seconds,
            trace=trace_record(seen, shared=result.shared),
            ignored=self.ignored,
            warnings=(*self.warnings, *self._said),
            **asdict(screen.divergence),
        )

    @property
    def _described(self) -> str:
        return f"{type(self.pipeline).__name__} {self.settings.value('model.id')}"

    @property
    def _said(self) -> list[str]:
        return [message for message in self.messages if "will be ignored" not in message]

    def _inert_guidance(self, seen: Observation) -> list[Ignored]:
        takes = inspect.signature(self.pipeline.__call__).parameters
        guider, name = self.declared.table("guider"), type(self.pipeline).__name__
        return inert_guidance(seen.steps, self.arguments, takes, name, guider)


def observed(
    ready: ReadyPipeline,
    generator: torch.Generator | None,
    *,
    keep_latents: bool,
    screen: Screen | None = None,
) -> PipelineResult:
    """Call a pipeline and observe it."""
    ready.place()
    with _observing(ready, screen, keep_latents=keep_latents) as observer:
        output = _output(ready, generator, observer, screen)
    return PipelineResult(output, observer.seen)


def kept(
    ready: ReadyPipeline,
    generator: torch.Generator | None,
    reuse: Reuse,
    subject: str,
    *,
    keep_latents: bool,
    screen: Screen | None = None,
) -> PipelineResult:
    """Call a pipeline, and keep its embeddings and the end of its denoising, if it comes to one."""
    ready.place()
    embedding = reuse.share_embeddings(ready.pipeline, subject, ready.settings, ready.run)
    with (
        _observing(ready, screen, keep_latents=keep_latents) as observer,
        reuse.keeping(ready.pipeline, subject, ready.settings, observer, generator, embedding=embedding),
    ):
        output = _output(ready, generator, observer, screen)
    return PipelineResult(output, observer.seen, tuple(embedding.taken))


def resumed(
    ready: ReadyPipeline,
    generator: torch.Generator | None,
    reuse: Reuse,
    subject: str,
    *,
    end: Denoised,
) -> PipelineResult:
    """Call a pipeline that only decodes the end of an earlier denoising.

    Raises:
        NotResumedError: It has to denoise after all.
    """
    resume(ready.pipeline, end, generator)
    ready.place()
    reuse.share_embeddings(ready.pipeline, subject, ready.settings, ready.run, end)
    with observing_decoding(ready.pipeline, end.seen) as observer:
        try:
            output = _output(ready, generator, observer)
        except OutOfMemory as error:
            raise DecodingOutOfMemory(error.message, host=error.host) from error
        except NotMeasuredError as error:
            raise NotResumedError from error
    if ready.run and end.made_by == ready.run:  # its process ended before it was decoded
        return PipelineResult(output, observer.seen, end.shared)
    embeddings = ("text embeddings",) if end.seen.embeddings else ()  # a pipeline may take no text
    return PipelineResult(output, observer.seen, (*embeddings, LATENTS))


def _observing(ready: ReadyPipeline, screen: Screen | None, *, keep_latents: bool) -> AbstractContextManager[Observer]:
    arguments, keep = ready.settings.table("call"), screen.see if screen else None
    return observing(ready.pipeline, keep_latents=keep_latents, arguments=arguments, keep=keep)


def _output(
    ready: ReadyPipeline, generator: torch.Generator | None, observer: Observer, screen: Screen | None = None
) -> Output | None:
    """Call the pipeline and return its clip, with what it says of it; None where the screen ended it."""
    if screen is not None:
        screen.attach(ready.pipeline, observer)
    try:
        with explained_refusals(ready.pipeline, ready.declared):
            returned = ready.pipeline(generator=generator, output_type="np", **ready.arguments)
    except RunEndedError:
        return None
    except NotMeasuredError:
        raise
    except Exception as error:
        raise _generation_error(error, ready.settings.value("placement")) from error
    return None if screen is not None and screen.ended else read_output(returned)


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
