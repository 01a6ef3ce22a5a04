"""The observer on real pipelines: what it sees, and that nothing changes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
import torch

from spacediff.observer.hooks import Call, add_hook
from spacediff.observer.observation import Observation
from spacediff.observer.observer import Observer, observing
from spacediff.observer.tensors import digest
from support.other_pipelines import FAMILIES, drawn

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in diffusers


def observed(family: str, seed: int = 5) -> tuple[Any, Observation]:
    with ExitStack() as stack:
        observers: list[Observer] = []
        pictures = drawn(family, seed, lambda pipeline, _: observers.append(stack.enter_context(observing(pipeline))))
    return pictures, observers[0].seen


@pytest.mark.parametrize("family", FAMILIES)
def test_observation_changes_no_byte(family: str) -> None:
    pictures, seen = observed(family)
    assert pictures.tobytes() == drawn(family).tobytes()
    assert len(seen.steps) == 3
    assert len(seen.latents) == 4
    assert seen.decoded
    assert all(step.nonfinite == 0 for step in seen.steps)
    assert [stage.name for stage in seen.stages] == ["text", "denoising", "decoding"]
    assert all(stage.peak_bytes > 0 for stage in seen.stages)


def test_the_observation_matches_the_tensors() -> None:
    _, seen = observed("stable-diffusion")
    noise = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(5))
    assert seen.noise is not None
    assert seen.noise.digest == digest(noise)
    assert seen.noise.mean == pytest.approx(float(noise.mean()))
    assert seen.noise.std == pytest.approx(float(noise.std(correction=0)))
    assert (seen.noise.low, seen.noise.high) == (float(noise.min()), float(noise.max()))
    assert seen.noise.shape == (1, 4, 16, 16)
    assert (seen.noise.dtype, seen.noise.device) == ("float32", "cpu")
    for step, latents in zip(seen.steps, seen.latents[1:], strict=True):
        assert step.digest == digest(latents)
        assert step.norm == pytest.approx(float(latents.norm()), rel=1e-5)
    assert [step.timestep for step in seen.steps] == [999.0, 499.5, 0.0]
    assert {step.guidance for step in seen.steps} == {7.5}
    assert len({step.noise for step in seen.steps}) == 3, "an ancestral scheduler draws noise at every step"


def test_a_different_seed_has_different_noise_and_the_same_embeddings() -> None:
    _, one = observed("wan", 5)
    _, other = observed("wan", 6)
    assert one.embeddings == other.embeddings
    assert one.noise is not None
    assert other.noise is not None
    assert one.noise.digest != other.noise.digest


def test_nan_and_infinite_values_are_counted() -> None:
    def break_second_step(pipeline: Any, observers: list[Observer], stack: ExitStack) -> None:
        def broken(call: Call) -> Any:
            (latents,) = call.proceed()
            if len(observers[0].seen.steps) == 1:
                latents[0, 0, 0, 0, :] = torch.tensor([float("nan"), float("inf")])
            return (latents,)

        add_hook(pipeline.scheduler, "step", broken)
        observers.append(stack.enter_context(observing(pipeline)))

    observers: list[Observer] = []
    with ExitStack() as stack, np.errstate(all="ignore"):
        drawn("wan", prepare=lambda pipeline, _: break_second_step(pipeline, observers, stack))
    assert [step.nonfinite for step in observers[0].seen.steps][:2] == [0, 2]
    assert np.isfinite([step.norm for step in observers[0].seen.steps]).all()


def test_latents_are_kept_on_request_only() -> None:
    with ExitStack() as stack:
        observers: list[Observer] = []
        drawn("wan", 5, lambda p, _: observers.append(stack.enter_context(observing(p, keep_latents=False))))
    assert not observers[0].seen.latents
    assert len(observers[0].seen.steps) == 3


def test_a_pipeline_without_these_methods_is_not_changed() -> None:
    class Odd:
        scheduler = None

    with observing(Odd()) as observer:
        pass
    assert observer.seen == Observation(unobserved=("noise", "steps"))


class Chunked:
    """A minimal pipeline whose methods can be called in any order."""

    class _Scheduler:
        def step(self, output: torch.Tensor, timestep: int, sample: torch.Tensor) -> tuple[torch.Tensor]:
            return (sample - output / (1 + timestep),)

    class _Vae:
        def encode(self, pictures: torch.Tensor) -> tuple[torch.Tensor]:
            return (pictures,)

        def decode(self, latents: torch.Tensor) -> tuple[torch.Tensor]:
            return (latents,)

    def __init__(self) -> None:
        self.scheduler, self.vae = self._Scheduler(), self._Vae()

    def prepare_latents(self) -> torch.Tensor:
        return torch.zeros(2)

    def call(self, parts: str) -> None:
        latents = torch.ones(2)
        for part in parts:
            if part == "p":
                self.prepare_latents()
            elif part == "s":
                (latents,) = self.scheduler.step(torch.ones(2), 3, latents)
            else:
                (self.vae.encode if part == "e" else self.vae.decode)(latents)


@pytest.mark.parametrize(
    ("parts", "loops", "interleaved", "encoded"),
    [
        ("pssd", 1, False, False),
        ("pssdd", 1, False, False),
        ("epssd", 1, False, True),
        ("psspssd", 2, False, False),
        ("psdsd", 1, True, False),
    ],
)
def test_the_structure_of_the_loop_is_observed(parts: str, loops: int, interleaved: bool, encoded: bool) -> None:  # noqa: FBT001 - cases
    pipeline = Chunked()
    with observing(pipeline) as observer:
        pipeline.call(parts)
    seen = observer.seen
    assert (seen.loops, seen.interleaved, seen.encoded) == (loops, interleaved, encoded)
    assert len(seen.steps) == parts.count("s")


def test_the_digest_covers_all_decoded_pieces() -> None:
    decoded = []
    for parts in ("psd", "psdd"):
        pipeline = Chunked()
        with observing(pipeline) as observer:
            pipeline.call(parts)
        decoded.append(observer.seen.decoded)
    assert decoded[0] != decoded[1]


def test_an_observation_does_not_change_afterwards() -> None:
    pipeline = Chunked()
    with observing(pipeline) as observer:
        pipeline.call("ps")
        before = observer.seen
        latents = [each.clone() for each in before.latents]
        pipeline.call("sd")
    assert (len(before.steps), len(observer.seen.steps)) == (1, 2)
    assert all(torch.equal(*each) for each in zip(before.latents, latents, strict=True))


def test_a_digest_depends_on_dtype_and_shape() -> None:
    zeros = [torch.zeros(4), torch.zeros(2, 2), torch.zeros(4, dtype=torch.int32), torch.zeros(0)]
    assert len({digest(each) for each in zeros}) == 4
    assert digest(torch.arange(6).reshape(2, 3).T) == digest(torch.arange(6).reshape(2, 3).T.contiguous())
