"""Latents of schedulers with different scaling, as diffusers' own schedulers define it."""

from __future__ import annotations

import copy

import diffusers
import pytest
import torch

from spacediff.observer.scaling import EXPLODING, FLOW, PRESERVING, scaling_of

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in diffusers


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("DDIMScheduler", PRESERVING),
        ("DPMSolverMultistepScheduler", PRESERVING),
        ("CogVideoXDPMScheduler", PRESERVING),
        ("EulerDiscreteScheduler", EXPLODING),
        ("HeunDiscreteScheduler", EXPLODING),
        ("FlowMatchEulerDiscreteScheduler", FLOW),
        ("FlowMatchHeunDiscreteScheduler", FLOW),
        ("IPNDMScheduler", ""),
    ],
)
def test_the_scaling_of_a_scheduler(name: str, kind: str) -> None:
    scheduler = getattr(diffusers, name)()
    scheduler.set_timesteps(6)
    before = copy.deepcopy(vars(scheduler))
    assert scaling_of(scheduler).kind == kind
    assert all(
        torch.equal(v, before[k]) if isinstance(v, torch.Tensor) else v == before[k] for k, v in vars(scheduler).items()
    )


def test_the_factor_of_the_clean_sample_is_that_of_the_schedule() -> None:
    scheduler = diffusers.DDIMScheduler()
    scheduler.set_timesteps(4)
    expected = {float(at): float(scheduler.alphas_cumprod[at]) ** 0.5 for at in scheduler.timesteps}
    assert scaling_of(scheduler).signal == pytest.approx(expected)


def test_a_solver_that_is_set_to_flow_matching_has_its_scaling() -> None:
    scheduler = diffusers.UniPCMultistepScheduler(use_flow_sigmas=True, prediction_type="flow_prediction")
    scheduler.set_timesteps(4)
    assert scaling_of(scheduler).kind == FLOW
