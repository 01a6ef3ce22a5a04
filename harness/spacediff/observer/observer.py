"""The observer: records what happens in a pipeline call, without changing it.

The key insight: every diffusers pipeline calls the same few methods, whatever its loop looks like: `encode_prompt`,
`prepare_latents`, the scheduler's `step` and the VAE's `decode`. The observer hooks these methods of one pipeline and
reads their arguments and results. Reading a tensor draws no random number.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spacediff.observer.clock import StageClock
from spacediff.observer.draws import collected_draws
from spacediff.observer.hooks import Call, add_hook, step_result
from spacediff.observer.observation import Noise, Observation, StageCost, Step
from spacediff.observer.tensors import chained, digest, digests, extremes, number, statistics

if TYPE_CHECKING:
    import torch


class Observer:
    """Observes one pipeline call.

    Attributes:
        seen: What was observed so far.
    """

    def __init__(self, pipeline: Any, *, keep_latents: bool, before: Observation) -> None:
        self.seen = before
        self._pipeline = pipeline
        self._keep_latents = keep_latents
        self._clock = StageClock(self._on_stage, _device(pipeline))

    def hook_all(self) -> None:
        """Hook all stages, from the text encoder to the VAE."""
        vae = getattr(self._pipeline, "vae", None)
        add_hook(self._pipeline, "encode_prompt", self._on_text)
        add_hook(self._pipeline, "prepare_latents", self._on_noise)
        add_hook(self._pipeline.scheduler, "step", self._on_step)
        add_hook(vae, "encode", self._on_encoding)
        self.hook_decoding()

    def hook_decoding(self) -> None:
        """Hook only the VAE's decoder."""
        add_hook(getattr(self._pipeline, "vae", None), "decode", self._on_decoding)

    def close(self) -> None:
        """End the last stage."""
        self._clock.close()

    def _on_stage(self, cost: StageCost) -> None:
        self.seen = replace(self.seen, stages=(*self.seen.stages, cost))

    def _on_text(self, call: Call) -> Any:
        with self._clock.stage("text"):
            embeddings = call.proceed()
            self.seen = replace(self.seen, embeddings=(*self.seen.embeddings, *digests(embeddings)))
        return embeddings

    def _on_noise(self, call: Call) -> Any:
        self._clock.enter("denoising")
        with collected_draws() as drawn:
            prepared = call.proceed()
        latents = prepared[0] if isinstance(prepared, list | tuple) else prepared
        # an encoder may draw noise first; the initial latents have the shape of the result
        start = next((noise for noise in drawn if noise.shape == getattr(latents, "shape", None)), latents)
        noise = _noise(start) if self.seen.noise is None and hasattr(start, "dtype") else self.seen.noise
        self.seen = replace(self.seen, noise=noise, loops=self.seen.loops + 1)
        return prepared

    def _on_step(self, call: Call) -> Any:
        self._clock.enter("denoising")
        given = call.arguments()
        sample: torch.Tensor = given["sample"]
        with collected_draws() as drawn:
            result = call.proceed()
        latents = step_result(result).to(sample.dtype)  # as pipelines pass it to the next step
        here = latents.detach().cpu()
        mean, std, norm, nonfinite = statistics(here)
        timestep = number(given.get("timestep"))
        step = Step(
            timestep=timestep,
            guidance=_guidance(self._pipeline, timestep),
            digest=digest(here),
            mean=mean,
            std=std,
            norm=norm,
            nonfinite=nonfinite,
            noise=digest(drawn[0]) if drawn else "",
        )
        self.seen = replace(
            self.seen,
            steps=(*self.seen.steps, step),
            latents=self._kept(sample, latents, here),
            interleaved=self.seen.interleaved or bool(self.seen.decoded),
        )
        self._clock.read_memory()
        return result

    def _kept(self, sample: torch.Tensor, latents: torch.Tensor, here: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the kept latents and those of a step; `here` is their copy on the CPU."""
        if not self._keep_latents:
            return ()
        before = self.seen.latents or (sample.detach().cpu().clone(),)
        return (*before, here.clone() if here is latents else here)

    def _on_encoding(self, call: Call) -> Any:
        self.seen = replace(self.seen, encoded=True)
        return call.proceed()

    def _on_decoding(self, call: Call) -> Any:
        with self._clock.stage("decoding"):
            result = call.proceed()
            found = digest(result.sample if hasattr(result, "sample") else result[0])
            self.seen = replace(self.seen, decoded=chained(self.seen.decoded, found))  # some pipelines decode in pieces
        return result


@contextmanager
def observing(pipeline: Any, *, keep_latents: bool = True) -> Iterator[Observer]:
    """Observe a call of a pipeline.

    Args:
        pipeline: The pipeline of the run, already placed; only methods of this object are hooked.
        keep_latents: Whether the latents of each step are kept.

    Yields:
        The observer; its data are complete after the block.
    """
    observer = Observer(pipeline, keep_latents=keep_latents, before=Observation())
    observer.hook_all()
    yield observer
    observer.close()


@contextmanager
def observing_decoding(pipeline: Any, before: Observation) -> Iterator[Observer]:
    """Observe a call that skips the denoising, and add its decoding to the observation of the earlier run."""
    stages = tuple(stage for stage in before.stages if stage.name != "decoding")
    observer = Observer(pipeline, keep_latents=False, before=replace(before, decoded="", stages=stages))
    observer.hook_decoding()
    yield observer
    observer.close()


def _device(pipeline: Any) -> torch.device:
    """Return the device that a pipeline computes on, which offloading keeps apart from where its weights are."""
    import torch

    found: torch.device = getattr(pipeline, "_execution_device", torch.device("cpu"))
    return found


def _noise(tensor: torch.Tensor) -> Noise:
    low, high = extremes(tensor)
    mean, std, _, _ = statistics(tensor)
    return Noise(
        digest=digest(tensor),
        mean=mean,
        std=std,
        low=low,
        high=high,
        shape=tuple(tensor.shape),
        dtype=str(tensor.dtype).removeprefix("torch."),
        device=tensor.device.type,
    )


def _guidance(pipeline: Any, timestep: float | None) -> float | None:
    """Return the guidance scale at a timestep; with two models (Wan 2.2), the second has its own below a boundary."""
    second = number(getattr(pipeline, "guidance_scale_2", getattr(pipeline, "_guidance_scale_2", None)))
    ratio = getattr(getattr(pipeline, "config", None), "boundary_ratio", None)
    if second is not None and ratio is not None and timestep is not None:
        boundary = ratio * pipeline.scheduler.config.num_train_timesteps
        if timestep < boundary:
            return second
    return number(getattr(pipeline, "guidance_scale", None))
