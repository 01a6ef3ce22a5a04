"""The observer: looks into a generation as it runs, and changes nothing in it.

The key insight: every diffusers pipeline goes through the same few doors, whatever its loop looks like:
`encode_prompt`, `prepare_latents`, the scheduler's `step`, the VAE's `decode`. The observer stands at these doors, on
the run's own copy of the pipeline; what passes is looked at, never touched. Reading a tensor draws no random number.
"""

from __future__ import annotations

import functools
import hashlib
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from spacediff.observer.hooks import Call, add_hook, step_result
from spacediff.record import NoiseRecord, StageRecord, StepRecord, TraceRecord

if TYPE_CHECKING:
    import torch

_DIGITS = 24  # of a digest: 96 bits
_LOOK_EVERY = 0.05  # seconds


@dataclass
class Observed:
    """What an observer saw.

    Attributes:
        embeddings: Digests of the text embeddings.
        noise: The noise that the latents were made of.
        steps: The denoising steps.
        decoded: Digest of what the VAE decoded.
        stages: Duration and memory.
        latents: The latents before the first step and after each, on the CPU, in the dtype that the pipeline has
            them in; empty when they are not kept.
        own_errors: For a run that is fed another's latents, each step's own error.
        loops: How often latents were prepared.
        interleaved: Whether a step came after something was decoded, as where clips are made piece by piece.
        encoded: Whether the VAE encoded something first, as for image-to-video.
    """

    embeddings: list[str] = field(default_factory=list)
    noise: NoiseRecord | None = None
    steps: list[StepRecord] = field(default_factory=list)
    decoded: str = ""
    stages: list[StageRecord] = field(default_factory=list)
    latents: list[torch.Tensor] = field(default_factory=list)
    own_errors: list[float] = field(default_factory=list)
    loops: int = 0
    interleaved: bool = False
    encoded: bool = False

    def record(self) -> TraceRecord:
        """Return it as the audit keeps it, without the latents."""
        return TraceRecord(
            embeddings=self.embeddings,
            noise=self.noise,
            steps=self.steps,
            decoded=self.decoded,
            stages=self.stages,
            own_errors=self.own_errors,
        )


@contextmanager
def observing(pipeline: Any, *, keep_latents: bool = True) -> Iterator[Observed]:
    """Observe the run of a pipeline.

    Args:
        pipeline: The run's own pipeline, placed; the doors are replaced on this object only.
        keep_latents: Whether the latents of each step are kept.

    Yields:
        What is seen; it fills while the pipeline runs.
    """
    seen = Observed()
    clock = _Clock(seen.stages)
    add_hook(pipeline, "encode_prompt", functools.partial(_see_text, seen, clock))
    add_hook(pipeline, "prepare_latents", functools.partial(_see_noise, seen, clock))
    add_hook(pipeline.scheduler, "step", functools.partial(_see_step, seen, clock, pipeline, keep_latents))
    add_hook(getattr(pipeline, "vae", None), "encode", functools.partial(_see_encoding, seen))
    add_hook(getattr(pipeline, "vae", None), "decode", functools.partial(_see_decoding, seen, clock))
    yield seen
    clock.close()


@contextmanager
def observing_decoding(pipeline: Any, before: Observed) -> Iterator[Observed]:
    """Observe a run that takes over the denoising of an earlier one; what was seen of that comes first."""
    stages = [stage for stage in before.stages if stage.name != "decoding"]
    seen = replace(before, decoded="", stages=stages)
    clock = _Clock(stages)
    add_hook(pipeline.vae, "decode", functools.partial(_see_decoding, seen, clock))
    yield seen
    clock.close()


def digest(tensor: torch.Tensor) -> str:
    """Return a digest of dtype, shape and bytes."""
    import torch

    found = hashlib.sha256(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
    found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()[:_DIGITS]


def _see_text(seen: Observed, clock: _Clock, call: Call) -> Any:
    with clock.stage("text"):
        embeddings = call.proceed()
        seen.embeddings += _digests(embeddings)
    return embeddings


def _see_noise(seen: Observed, clock: _Clock, call: Call) -> Any:
    clock.enter("denoising")
    with _draws() as drawn:
        prepared = call.proceed()
    latents = prepared[0] if isinstance(prepared, list | tuple) else prepared
    # what an encoder draws first, of another shape, is not what the latents start from
    start = next((noise for noise in drawn if noise.shape == getattr(latents, "shape", None)), latents)
    seen.loops += 1
    if seen.noise is None and hasattr(start, "dtype"):
        low, high = _extremes(start)
        mean, std, _, _ = _statistics(start)
        seen.noise = NoiseRecord(
            digest=digest(start),
            mean=mean,
            std=std,
            low=low,
            high=high,
            shape=list(start.shape),
            dtype=str(start.dtype).removeprefix("torch."),
            device=start.device.type,
        )
    return prepared


def _see_step(seen: Observed, clock: _Clock, pipeline: Any, keep: bool, call: Call) -> Any:  # noqa: FBT001 - bound once
    clock.enter("denoising")
    seen.interleaved |= bool(seen.decoded)
    given = call.arguments()
    sample: torch.Tensor = given["sample"]
    with _draws() as drawn:
        result = call.proceed()
    latents = step_result(result).to(sample.dtype)  # as pipelines hand it to the next step
    if keep and not seen.latents:
        seen.latents.append(sample.detach().cpu().clone())
    here = latents.detach().cpu()
    mean, std, norm, nonfinite = _statistics(here)
    seen.steps.append(
        StepRecord(
            timestep=_number(given.get("timestep")),
            guidance=_guidance(pipeline, _number(given.get("timestep"))),
            digest=digest(here),
            mean=mean,
            std=std,
            norm=norm,
            nonfinite=nonfinite,
            noise=digest(drawn[0]) if drawn else "",
        )
    )
    if keep:
        seen.latents.append(here.clone() if here is latents else here)
    clock.look()
    return result


def _see_encoding(seen: Observed, call: Call) -> Any:
    seen.encoded = True
    return call.proceed()


def _see_decoding(seen: Observed, clock: _Clock, call: Call) -> Any:
    with clock.stage("decoding"):
        result = call.proceed()
        found = digest(result.sample if hasattr(result, "sample") else result[0])
        # some pipelines decode in pieces
        seen.decoded = hashlib.sha256(f"{seen.decoded} {found}".encode()).hexdigest()[:_DIGITS]
    return result


def _digests(embeddings: Any) -> list[str]:
    """Return a digest of each tensor, those in inner lists too; empty texts for what is none."""
    if isinstance(embeddings, list | tuple):
        return [found for part in embeddings for found in _digests(part)]
    return [digest(embeddings) if hasattr(embeddings, "dtype") else ""]


def _guidance(pipeline: Any, timestep: float | None) -> float | None:
    """Return the guidance scale in force; of two models, that of the second below its boundary (Wan 2.2)."""
    second = _number(getattr(pipeline, "guidance_scale_2", getattr(pipeline, "_guidance_scale_2", None)))
    ratio = getattr(getattr(pipeline, "config", None), "boundary_ratio", None)
    if second is not None and ratio is not None and timestep is not None:
        boundary = ratio * pipeline.scheduler.config.num_train_timesteps
        if timestep < boundary:
            return second
    return _number(getattr(pipeline, "guidance_scale", None))


def _number(value: Any) -> float | None:
    """Return a scalar, the first of several, or None."""
    if hasattr(value, "flatten"):
        value = value.flatten()[0].item()
    return float(value) if isinstance(value, int | float) else None


def _statistics(tensor: torch.Tensor) -> tuple[float, float, float, int]:
    """Return mean, standard deviation and norm of the finite values, and how many are not finite.

    By torch, not NumPy: the threads of NumPy's BLAS go on spinning after a product, and slow the next steps down.
    """
    import torch

    values = tensor.detach().cpu().double().flatten()
    square = float((values * values).sum())
    finite = values
    if not math.isfinite(square):
        finite = values[torch.isfinite(values)]
        square = float((finite * finite).sum())
    if not len(finite):
        return 0.0, 0.0, 0.0, len(values)
    mean = float(finite.sum()) / len(finite)
    std = math.sqrt(max(square / len(finite) - mean**2, 0.0))
    return mean, std, math.sqrt(square), len(values) - len(finite)


def _extremes(tensor: torch.Tensor) -> tuple[float, float]:
    values = tensor.detach().cpu().double().numpy()
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)


@contextmanager
def _draws() -> Iterator[list[torch.Tensor]]:
    """Collect what `torch.randn` and `torch.randn_like` return inside the block.

    The two names are exchanged for its length: a TorchFunctionMode would do, but costs every other call as well.
    """
    import torch

    drawn: list[torch.Tensor] = []

    def seen(draw: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        def drawing(*args: Any, **kwargs: Any) -> torch.Tensor:
            noise = draw(*args, **kwargs)
            drawn.append(noise)
            return noise

        return drawing

    randn, randn_like = torch.randn, torch.randn_like
    torch.randn, torch.randn_like = seen(randn), seen(randn_like)
    try:
        yield drawn
    finally:
        torch.randn, torch.randn_like = randn, randn_like


class _Clock:
    """Measures the stages: one begins where another ends."""

    def __init__(self, stages: list[StageRecord]) -> None:
        self._stages = stages
        self._name = ""
        self._began = 0.0
        self._peak = 0
        self._looked = 0.0
        self._process = psutil.Process()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.enter(name)
        yield
        self.close()

    def enter(self, name: str) -> None:
        if name != self._name:
            self.close()
            self._name, self._began, self._peak = name, time.monotonic(), 0
            _forget_peak()

    def look(self) -> None:
        """Look at the memory in use, but not more often than is worth its cost."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_EVERY or not self._peak:
            self._peak = max(self._peak, _allocated() or self._process.memory_info().rss)
            self._looked = now

    def close(self) -> None:
        if self._name:
            self.look()
            seconds = time.monotonic() - self._began
            self._stages.append(StageRecord(name=self._name, seconds=seconds, peak_bytes=self._peak))
            self._name = ""


def _allocated() -> int:
    import torch

    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0


def _forget_peak() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
