"""Steps in isolation, where a pipeline copies its scheduler, has two loops, or scales its latents in another way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from diffusers import DDIMScheduler, EulerDiscreteScheduler

from spacediff.errors import NotComparable
from spacediff.observer.scaling import FLOW
from spacediff.sources.local.isolation import Feed, Latents, Recorder
from support.loops import Combined, Pipeline

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in diffusers


def recorded(pipeline: Any) -> Latents:
    recorder = Recorder(pipeline)
    pipeline()
    return recorder.latents()


def errors(pipeline: Any, latents: Latents) -> list[float]:
    fed = Feed(pipeline, latents)
    pipeline()
    fed.close()
    return fed.errors


def predicting(pipeline: Any, value: float) -> Any:
    """Make the denoiser of a pipeline predict another constant."""
    pipeline.transformer.forward = lambda latents: (torch.full_like(latents, value),)
    return pipeline


@pytest.mark.parametrize("way", ["plain", "frames", "audio"])
def test_each_step_errs_by_what_it_predicts_otherwise(way: str) -> None:
    latents = recorded(Pipeline(way))
    assert errors(Pipeline(way), latents) == [0.0, 0.0]
    start = torch.arange(96.0, dtype=torch.float64)
    # a step adds 0.5, the other 1.5: each is 1 off in all of 96 values, whatever the step before did
    expected = [96**0.5 / float((start + 0.5 * n).norm()) for n in (1, 2)]
    assert errors(predicting(Pipeline(way), 1.5), latents) == pytest.approx(expected)


def test_both_loops_of_a_combined_pipeline_are_fed() -> None:
    latents = recorded(Combined())
    changed = Combined()
    predicting(changed.prior_pipe, 1.5)
    found = errors(changed, latents)
    assert len(found) == 4
    assert all(error > 0 for error in found[:2])
    assert found[2:] == [0.0, 0.0], "the second loop starts from the other run's latents"


def test_steps_that_are_not_seen_cannot_be_fed() -> None:
    with pytest.raises(NotComparable, match="the steps of the run that gives the latents were not observed"):
        recorded(Pipeline("rebuilt"))
    with pytest.raises(NotComparable, match="the run has 0 steps, but 2 in the run"):
        errors(Pipeline("rebuilt"), recorded(Pipeline("plain")))


def test_other_initial_latents_cannot_be_replaced_in_a_pipeline_that_does_not_show_them() -> None:
    latents = recorded(Pipeline("plain"))
    pipeline = Pipeline("plain")
    pipeline.start = pipeline.start + 1
    with pytest.raises(NotComparable, match="the initial latents differ"):
        errors(pipeline, latents)


class Solver:
    """A loop of a real scheduler over a model that predicts the noise of one clean sample exactly."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.scheduler = make()
        self.transformer = torch.nn.Identity()
        self._clean = torch.linspace(-1, 1, 16).reshape(1, 16)

    def prepare_latents(self) -> Any:
        noise = torch.randn(1, 16, generator=torch.Generator().manual_seed(1))
        return noise * self.scheduler.init_noise_sigma

    def __call__(self) -> Any:
        self.scheduler.set_timesteps(4)
        latents = self.prepare_latents()
        for t in self.scheduler.timesteps:
            signal, noise = (
                self.scheduler.add_noise(*pair, t[None])
                for pair in ((torch.ones(1, 1), torch.zeros(1, 1)), (torch.zeros(1, 1), torch.ones(1, 1)))
            )
            self.scheduler.scale_model_input(latents, t)
            predicted = self.transformer((latents - signal * self._clean) / noise)
            latents = self.scheduler.step(predicted, t, latents, return_dict=False)[0]
        return latents


def ddim() -> Any:
    return DDIMScheduler(clip_sample=False, timestep_spacing="trailing", set_alpha_to_one=True)


def euler() -> Any:
    return EulerDiscreteScheduler(timestep_spacing="trailing")


def test_one_solver_in_two_scalings_makes_no_error() -> None:
    ours, theirs = recorded(Solver(ddim)), recorded(Solver(euler))
    assert errors(Solver(euler), ours) == pytest.approx([0.0] * 4, abs=1e-5)
    assert errors(Solver(ddim), theirs) == pytest.approx([0.0] * 4, abs=1e-5)


def test_latents_of_flow_matching_are_not_fed_to_another_scheduler() -> None:
    latents = replace(recorded(Solver(euler)), scaling=FLOW)
    with pytest.raises(NotComparable, match="scale the latents differently"):
        errors(Solver(ddim), latents)
