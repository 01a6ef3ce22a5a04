"""The observer on real pipelines: what it sees, and that nothing changes."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
import torch

from spacediff.observer.hooks import Call, add_hook
from spacediff.observer.observer import Observed, digest, observing
from support.other_pipelines import FAMILIES, drawn

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in diffusers


def observed(family: str, seed: int = 5) -> tuple[Any, Observed]:
    with ExitStack() as stack:
        seen: list[Observed] = []
        pictures = drawn(family, seed, lambda pipeline, _: seen.append(stack.enter_context(observing(pipeline))))
    return pictures, seen[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_not_a_byte_changes_under_observation(family: str) -> None:
    pictures, seen = observed(family)
    assert pictures.tobytes() == drawn(family).tobytes()
    assert len(seen.steps) == 3
    assert len(seen.latents) == 4
    assert seen.decoded
    assert all(step.nonfinite == 0 for step in seen.steps)
    assert [stage.name for stage in seen.stages] == ["text", "denoising", "decoding"]
    assert all(stage.peak_bytes > 0 for stage in seen.stages)


def test_what_is_seen_is_what_there_is() -> None:
    _, seen = observed("stable-diffusion")
    noise = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(5))
    assert seen.noise is not None
    assert seen.noise.digest == digest(noise)
    assert seen.noise.mean == pytest.approx(float(noise.mean()))
    assert seen.noise.std == pytest.approx(float(noise.std(correction=0)))
    assert (seen.noise.low, seen.noise.high) == (float(noise.min()), float(noise.max()))
    assert seen.noise.shape == [1, 4, 16, 16]
    assert (seen.noise.dtype, seen.noise.device) == ("float32", "cpu")
    for step, latents in zip(seen.steps, seen.latents[1:], strict=True):
        assert step.digest == digest(latents)
        assert step.norm == pytest.approx(float(latents.norm()), rel=1e-5)
    assert [step.timestep for step in seen.steps] == [999.0, 499.5, 0.0]
    assert {step.guidance for step in seen.steps} == {7.5}
    assert len({step.noise for step in seen.steps}) == 3, "an ancestral scheduler draws anew at every step"


def test_another_seed_has_other_noise_and_the_same_text() -> None:
    _, one = observed("wan", 5)
    _, other = observed("wan", 6)
    assert one.embeddings == other.embeddings
    assert one.noise is not None
    assert other.noise is not None
    assert one.noise.digest != other.noise.digest


def test_numbers_that_are_none_are_counted() -> None:
    def break_second_step(pipeline: Any, seen: list[Observed], stack: ExitStack) -> None:
        def broken(call: Call) -> Any:
            (latents,) = call.proceed()
            if len(seen[0].steps) == 1:
                latents[0, 0, 0, 0, :] = torch.tensor([float("nan"), float("inf")])
            return (latents,)

        add_hook(pipeline.scheduler, "step", broken)
        seen.append(stack.enter_context(observing(pipeline)))

    seen: list[Observed] = []
    with ExitStack() as stack, np.errstate(all="ignore"):
        drawn("wan", prepare=lambda pipeline, _: break_second_step(pipeline, seen, stack))
    assert [step.nonfinite for step in seen[0].steps][:2] == [0, 2]
    assert np.isfinite([step.norm for step in seen[0].steps]).all()


def test_latents_are_kept_on_request_only() -> None:
    with ExitStack() as stack:
        seen: list[Observed] = []
        drawn("wan", 5, lambda p, _: seen.append(stack.enter_context(observing(p, keep_latents=False))))
    assert not seen[0].latents
    assert len(seen[0].steps) == 3


def test_a_pipeline_with_other_doors_is_left_alone() -> None:
    class Odd:
        scheduler = None

    with observing(Odd()) as seen:
        pass
    assert seen.record().steps == []


def test_a_digest_tells_dtype_and_shape() -> None:
    zeros = [torch.zeros(4), torch.zeros(2, 2), torch.zeros(4, dtype=torch.int32), torch.zeros(0)]
    assert len({digest(each) for each in zeros}) == 4
    assert digest(torch.arange(6).reshape(2, 3).T) == digest(torch.arange(6).reshape(2, 3).T.contiguous())
