"""One local run: load, copy, apply the Settings in the order in which scripts do, generate, resolve."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from harness.clip import Clip
from harness.errors import NotMeasuredError, failure, nearest_name
from harness.record import Ignored
from harness.settings import Settings
from harness.sources import Produced, Progress
from harness.sources.local.listening import warnings_of_libraries
from harness.sources.local.noise import generator_for
from harness.sources.local.numerics import numerics
from harness.sources.local.pipeline import Checkpoints
from harness.sources.local.placement import default_placement, place, refuse_what_cannot_run
from harness.sources.local.resolve import observed, resolved


class LocalSource:
    """Generates clips here, one after the other, loading each checkpoint once."""

    def __init__(self) -> None:
        self._checkpoints = Checkpoints()

    def generate(self, declared: Settings, prompt: str, seed: int, progress: Progress) -> Produced:
        """Generate one clip.

        Args:
            declared: What the scenario says; the rest is filled from the library.
            prompt: The prompt's text.
            seed: The prompt's seed; `rng.seed` has the last word.
            progress: Told of loading and of every denoising step.

        Raises:
            NotMeasuredError: The Settings cannot run here; the message says why.
        """
        refuse_what_cannot_run(declared)
        progress.status("loading the checkpoint")
        checkpoint, ignored = self._checkpoints.load(declared)
        began = time.monotonic()
        pipeline = checkpoint.fresh_pipeline()
        placement = declared.value("placement") or default_placement()
        with warnings_of_libraries() as messages, numerics(declared):
            ignored += _apply(pipeline, declared)
            arguments = _call_arguments(pipeline, declared)
            place(pipeline, placement)
            pipeline.progress_bar = _steps_to(progress)
            seed = declared.value("rng.seed", seed)
            settings = resolved(declared, checkpoint, pipeline, seed, placement)
            progress.status("generating")
            frames = _frames(pipeline, prompt, arguments, settings, seed)
        clip = Clip.from_floats(
            frames,
            Fraction(str(settings.value("output.fps"))).limit_denominator(100_000),
            rounding=settings.value("output.rounding"),
        )
        return Produced(
            clip=clip,
            settings=observed(settings, *clip.frames.shape[:3]),
            described=f"{type(pipeline).__name__} {declared.value('model.id')}",
            seconds=time.monotonic() - began,
            ignored=ignored,
            warnings=(*checkpoint.warnings, *(m for m in messages if "will be ignored" not in m)),
        )


def _apply(pipeline: Any, settings: Settings) -> tuple[Ignored, ...]:
    """Set scheduler and VAE; return what the scheduler ignored."""
    ignored = _set_scheduler(pipeline, settings.table("scheduler"))
    for name, on in settings.table("vae").items():
        method = getattr(getattr(pipeline, "vae", None), f"{'enable' if on else 'disable'}_{name}", None)
        if method is None:
            raise NotMeasuredError(f"the VAE of {type(pipeline).__name__} has no {name}")
        method()
    return ignored


def _set_scheduler(pipeline: Any, wanted: dict[str, Any]) -> tuple[Ignored, ...]:
    if not wanted:
        return ()
    scheduler_class = _scheduler_class(wanted.pop("class", type(pipeline.scheduler).__name__))
    name = scheduler_class.__name__
    try:
        pipeline.scheduler = scheduler_class.from_config(pipeline.scheduler.config, **wanted)
    except Exception as error:
        raise NotMeasuredError(f"{name} refuses its settings: {failure(error)}") from error
    expected = inspect.signature(scheduler_class).parameters
    return tuple(
        Ignored(argument=f"scheduler.{key}", value=value, given_to=f"{name}.from_config")
        for key, value in wanted.items()
        if key not in expected
    )


def _scheduler_class(name: str) -> Any:
    import diffusers

    found = getattr(diffusers, name, None)
    if isinstance(found, type) and issubclass(found, diffusers.SchedulerMixin):
        return found
    near = nearest_name(name, [known for known in dir(diffusers) if known.endswith("Scheduler")])
    raise NotMeasuredError(
        f"diffusers {diffusers.__version__} has no scheduler {name!r}" + (f"; did you mean {near}?" if near else "")
    )


def _call_arguments(pipeline: Any, settings: Settings) -> dict[str, Any]:
    arguments = settings.table("call")
    known = inspect.signature(pipeline.__call__).parameters
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in known.values()):
        return arguments
    for name in arguments:
        if name not in known:
            near = nearest_name(name, known)
            raise NotMeasuredError(
                f"{type(pipeline).__name__}.__call__ takes no argument {name!r}"
                + (f"; did you mean {near!r}?" if near else "")
            )
    return arguments


def _frames(
    pipeline: Any, prompt: str, arguments: dict[str, Any], settings: Settings, seed: int
) -> NDArray[np.floating[Any]]:
    """Return the clip as float32 `[T, H, W, 3]` in 0..1."""
    try:
        with generator_for(settings, seed) as generator:
            output = pipeline(prompt=prompt, generator=generator, output_type="np", **arguments)
    except Exception as error:
        reason, hint = _explained(error, settings.value("placement"))
        raise NotMeasuredError(f"{reason}: {failure(error)}", hint=hint) from error
    frames = np.asarray(output.frames[0] if hasattr(output, "frames") else output.images)
    return frames if frames.ndim == 4 else frames[None]  # noqa: PLR2004 - an image is a clip of one frame


def _explained(error: Exception, placement: str) -> tuple[str, str]:
    """Return why a generation failed, and what to do about it."""
    import torch

    if placement == "sequential_cpu_offload" and not torch.cuda.is_available():
        return "sequential offload needs an accelerator: onto the CPU, accelerate cannot rebuild the weights", ""
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return "the GPU's memory is too small", "try placement = 'model_cpu_offload' and vae.tiling = true"
    return "the generation failed", ""


class _Steps:
    """Stands where diffusers puts its progress bar, so that any pipeline tells its steps."""

    def __init__(self, progress: Progress, total: int, items: Any = None) -> None:
        self._progress = progress
        self._total = total
        self._done = 0
        self._items = items

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            yield item
            self.update()

    def update(self, count: int = 1) -> None:
        self._done += count
        self._progress.step(self._done, self._total)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None  # set_postfix and the like


def _steps_to(progress: Progress) -> Callable[..., _Steps]:
    def progress_bar(iterable: Any = None, total: int | None = None) -> _Steps:
        return _Steps(progress, total if total is not None else len(iterable), iterable)

    return progress_bar
