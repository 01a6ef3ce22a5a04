"""The observer: records what happens in a pipeline call, without changing it.

The key insight: every diffusers pipeline calls the same few methods, whatever its loop looks like: `encode_prompt`,
`prepare_latents`, the scheduler's `step`, the `encode` and `decode` of its VAE. The observer hooks these methods of one
pipeline and of the pipelines inside it, and reads their arguments and results. Where a pipeline has no such method, it
watches the models instead, and says what it did not see. Reading a tensor draws no random number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .clock import StageClock
from .decoding import Decoded
from .draws import collected_draws
from .guidance import Guidance, Prediction, declared_scales, guidance_in_force, prediction_of
from .hooks import Call, Note, add_hook, step_result, watch_calls
from .observation import Noise, Observation, StageCost, Step
from .scaling import Scaling, scaling_of
from .sketch import sketch
from .stepping import Piece, Stepping
from .structure import (
    decoders_of,
    image_encoders_of,
    pipelines_of,
    text_encoders_of,
)
from .tensors import digest, digests, extremes, first_values, leaves, number, statistics, tensors_in

if TYPE_CHECKING:
    import torch


class Observer:
    """Observes one pipeline call.

    Args:
        pipeline: The pipeline.
        keep_latents: Whether the latents of each step are kept.
        before: What was observed before.
        sketches: Whether noise and latents are sketched, so that their distances can be estimated without them.
        arguments: Arguments of the call, so that a measured guidance scale is named as it was asked for.
        keep: Receives each text embedding, the initial noise and the latents after each step, under the names
            `embeddings.N`, counted from 0 as in the observation, `noise`, and `latents.N`, counted from 1.
        note: For a process that is not ours: receives what fails in observing, which the pipeline then does not see.
    """

    def __init__(
        self,
        pipeline: Any,
        *,
        keep_latents: bool,
        before: Observation,
        sketches: bool = False,
        arguments: Mapping[str, Any] | None = None,
        keep: Callable[[str, torch.Tensor], None] | None = None,
        note: Note | None = None,
    ) -> None:
        self._seen = before
        self._pipeline = pipeline
        self._keep_latents = keep_latents
        self._sketch: Callable[[torch.Tensor], tuple[float, ...]] = sketch if sketches else lambda _: ()
        self._arguments = dict(arguments or {})
        self._keep = keep or (lambda _name, _tensor: None)
        self._note = note
        self._clock = StageClock(self._on_stage, _device(pipeline), resets=note is None)
        self._stepping: Stepping | None = None
        self._ends: list[Callable[[], None]] = []
        self._undo: list[Callable[[], None]] = []
        self._decoded = Decoded()
        self._predictions: list[Prediction] = []
        self._draws: list[torch.Tensor] = []
        self._predicted_for_next = False
        self._scaling: tuple[Any, Scaling] = (None, Scaling())

    @property
    def seen(self) -> Observation:
        """What was observed so far."""
        if self._stepping:
            self._stepping.flush()
        return self._seen

    def hook_all(self) -> None:
        """Hook all stages, from the text encoder to the VAE."""
        for pipeline in pipelines_of(self._pipeline):
            self._hook(pipeline, "encode_prompt", self._on_text)
            self._hook(pipeline, "prepare_latents", self._on_noise)
            if not hasattr(pipeline, "encode_prompt"):
                self._watch([part for each in text_encoders_of(pipeline) for part in each[1:]], self._on_text_encoder)
        self._watch([encoder for _, encoder in image_encoders_of(self._pipeline)], self._on_image_encoder)
        self._stepping = Stepping(
            self._pipeline, self._on_scheduler, self._on_step, self._on_prediction, note=self._note
        )
        for _, decoder in decoders_of(self._pipeline):
            self._hook(decoder, "encode", self._on_encoding)
        self.hook_decoding()

    def hook_decoding(self) -> None:
        """Hook only the decoders."""
        for _, decoder in decoders_of(self._pipeline):
            self._hook(decoder, "decode", self._on_decoding)

    def close(self) -> None:
        """End the last stage, and note what the pipeline has but was not seen."""
        if self._stepping:
            self._stepping.close()
        for end in self._ends:
            end()
        self._clock.close()
        seen = self._seen
        missing = {
            "text": bool(text_encoders_of(self._pipeline)) and not seen.embeddings,
            "noise": seen.noise is None,
            "steps": not seen.steps,
            "decoding": bool(decoders_of(self._pipeline)) and not seen.decoded,
        }
        self._seen = replace(seen, unobserved=tuple(name for name, absent in missing.items() if absent))

    def unhook(self) -> None:
        """Remove all hooks, for a pipeline that is used after this call."""
        if self._stepping:
            self._stepping.unhook()
        for undo in reversed(self._undo):
            undo()

    def _hook(self, owner: Any, name: str, hook: Callable[[Call], Any]) -> None:
        self._undo.append(add_hook(owner, name, hook, note=self._note))

    def _watch(self, modules: list[Any], see: Callable[[tuple[Any, ...], dict[str, Any], Any], None]) -> None:
        self._ends += [watch_calls(module, see, note=self._note) for module in modules]

    def _on_stage(self, cost: StageCost) -> None:
        self._seen = replace(self._seen, stages=(*self._seen.stages, cost))

    def _on_text(self, call: Call) -> Any:
        with self._clock.stage("text"):
            embeddings = call.proceed()
            self._see_embeddings(leaves(embeddings))
        return embeddings

    def _see_embeddings(self, found: list[Any]) -> None:
        known = self._seen.embeddings
        self._seen = replace(self._seen, embeddings=(*known, *digests(found)))
        for index, each in enumerate(found, len(known)):
            if hasattr(each, "dtype"):
                self._keep(f"embeddings.{index}", each)

    def _on_text_encoder(self, _args: tuple[Any, ...], _kwargs: dict[str, Any], result: Any) -> None:
        self._see_embeddings(list(tensors_in(result)))

    def _on_image_encoder(self, _args: tuple[Any, ...], _kwargs: dict[str, Any], result: Any) -> None:
        self._see_input(result)

    def _on_encoding(self, call: Call) -> Any:
        result = call.proceed()
        self._seen = replace(self._seen, encoded=True)
        self._see_input(result)
        return result

    def _see_input(self, result: Any) -> None:
        found = tuple(digest(tensor) for tensor in tensors_in(result))
        self._seen = replace(self._seen, inputs=(*self._seen.inputs, *found))

    def _on_noise(self, call: Call) -> Any:
        self._clock.enter("denoising")
        with collected_draws() as drawn:
            prepared = call.proceed()
        latents = prepared[0] if isinstance(prepared, list | tuple) else prepared
        # an encoder may draw noise first; the initial latents have the shape of the result
        start = next((noise for noise in drawn if noise.shape == getattr(latents, "shape", None)), latents)
        noise = self._noise(start) if self._seen.noise is None and hasattr(start, "dtype") else self._seen.noise
        self._seen = replace(self._seen, noise=noise, loops=self._seen.loops + 1)
        return prepared

    def _noise(self, tensor: torch.Tensor) -> Noise:
        low, high = extremes(tensor)
        mean, std, _, _ = statistics(tensor)
        self._keep("noise", tensor)
        sketched = self._sketch(tensor)
        return Noise(
            digest=digest(tensor),
            mean=mean,
            std=std,
            low=low,
            high=high,
            shape=tuple(tensor.shape),
            dtype=str(tensor.dtype).removeprefix("torch."),
            device=tensor.device.type,
            sketch=sketched,
            head=first_values(tensor) if sketched else (),
        )

    def _on_prediction(self, denoiser: Any, kwargs: dict[str, Any], result: Any) -> None:
        if self._predicted_for_next:
            self._predictions, self._predicted_for_next = [], False
        prediction = prediction_of(denoiser, kwargs, result, lambda: declared_scales(self._pipeline, self._arguments))
        self._predictions.append(prediction)

    def _on_scheduler(self, call: Call) -> tuple[Any, Piece]:
        self._clock.enter("denoising")
        given = call.arguments()
        sample: torch.Tensor = given["sample"]
        if not self._seen.steps:
            given = {**given, "sample": sample.detach().clone()}  # some pipelines write the result over it
        with collected_draws() as drawn:
            result = call.proceed()
        self._draws += drawn
        return result, Piece(
            call.owner, given, step_result(result).to(sample.dtype)
        )  # as it is passed to the next step

    def _on_step(self, pieces: list[Piece]) -> None:
        first = pieces[0]
        latents = _stacked([piece.latents for piece in pieces])
        here = latents.detach().cpu()
        sample = _stacked([piece.given["sample"] for piece in pieces])
        mean, std, norm, nonfinite = statistics(here)
        timestep = number(first.given.get("timestep"))
        guidance = self._guidance(pieces)
        draws, self._draws = self._draws, []
        step = Step(
            timestep=timestep,
            guidance=guidance.scale,
            digest=digest(here),
            mean=mean,
            std=std,
            norm=norm,
            nonfinite=nonfinite,
            noise=digest(draws[0]) if draws else "",
            guidance_range=guidance.span,
            embedded_guidance=guidance.embedded,
            predictions=guidance.predictions,
            sketch=self._sketch(here),
            signal=self._scaling_at(first.scheduler, timestep).signal.get(-1.0 if timestep is None else timestep),
        )
        self._seen = replace(
            self._seen,
            noise=self._seen.noise or replace(self._noise(sample), drawn=False),
            steps=(*self._seen.steps, step),
            latents=self._kept(sample, latents, here),
            interleaved=self._seen.interleaved or bool(self._seen.decoded),
            copied=len(pieces) > 1 or self._seen.copied or bool(self._stepping and self._stepping.copied),
            scaling=self._scaling[1].kind,
        )
        self._keep(f"latents.{len(self._seen.steps)}", here)
        self._predicted_for_next = True
        self._clock.read_memory()

    def _guidance(self, pieces: list[Piece]) -> Guidance:
        given: list[Any] = [piece.given.get("model_output") for piece in pieces]
        outputs = [output for output in given if hasattr(output, "numel")]
        # frames that are stepped apart lie along the time of the prediction [B, C, T, H, W]
        combined = _stacked(outputs, dim=2) if outputs else None
        scheduler = pieces[0].scheduler
        pipelines = pipelines_of(self._pipeline)
        stepping = next((each for each in pipelines[1:] if each.scheduler is scheduler), self._pipeline)
        return guidance_in_force(self._predictions, combined, stepping, self._arguments)

    def _scaling_at(self, scheduler: Any, timestep: float | None) -> Scaling:
        """Return the scaling of a scheduler; read again where its timesteps were set again."""
        known, scaling = self._scaling
        if known is not scheduler or (timestep is not None and timestep not in scaling.signal):
            scaling = scaling_of(scheduler)
            self._scaling = (scheduler, scaling)
        return scaling

    def _kept(self, sample: torch.Tensor, latents: torch.Tensor, here: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return the kept latents and those of a step; `here` is their copy on the CPU."""
        if not self._keep_latents:
            return ()
        before = self._seen.latents or (sample.detach().cpu().clone(),)
        return (*before, here.clone() if here is latents else here)

    def _on_decoding(self, call: Call) -> Any:
        with self._clock.stage("decoding"):
            result = call.proceed()
            for pictures in tensors_in(result)[:1]:
                self._decoded.add(pictures)
                self._seen = replace(self.seen, decoded=self._decoded.digest, decoded_nonfinite=self._decoded.nonfinite)
        return result


@contextmanager
def observing(
    pipeline: Any,
    *,
    keep_latents: bool = True,
    arguments: Mapping[str, Any] | None = None,
    keep: Callable[[str, torch.Tensor], None] | None = None,
) -> Iterator[Observer]:
    """Observe a call of a pipeline.

    Args:
        pipeline: The pipeline of the run, already placed; only this object and its parts are hooked.
        keep_latents: Whether the latents of each step are kept.
        arguments: Arguments of the call, so that a measured guidance scale is named as it was asked for.
        keep: Receives tensors while the pipeline runs; see `Observer`.

    Yields:
        The observer; its data are complete after the block.
    """
    observer = Observer(pipeline, keep_latents=keep_latents, before=Observation(), arguments=arguments, keep=keep)
    observer.hook_all()
    yield observer
    observer.close()


@contextmanager
def observing_decoding(pipeline: Any, before: Observation) -> Iterator[Observer]:
    """Observe a call that skips the denoising, and add its decoding to the observation of the earlier run."""
    stages = tuple(stage for stage in before.stages if stage.name != "decoding")
    cleared = replace(before, decoded="", decoded_nonfinite=0, stages=stages)
    observer = Observer(pipeline, keep_latents=False, before=cleared)
    observer.hook_decoding()
    yield observer
    observer.close()


def _stacked(tensors: list[torch.Tensor], dim: int = 0) -> torch.Tensor:
    """Return the only tensor, or several of one shape stacked; those of different shapes are flattened."""
    import torch

    if len(tensors) == 1:
        return tensors[0]
    if len({tensor.shape for tensor in tensors}) > 1:
        return torch.cat([tensor.flatten() for tensor in tensors])
    return torch.stack(tensors, dim)


def _device(pipeline: Any) -> torch.device:
    """Return the device that a pipeline computes on, which offloading keeps apart from where its weights are."""
    import torch

    found: torch.device = getattr(pipeline, "_execution_device", torch.device("cpu"))
    return found
