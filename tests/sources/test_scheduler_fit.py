"""A scheduler that the pipeline does not serve is said before anything is generated; those it serves are not."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spacediff.hub.scheduler_config import Checkpoint
from spacediff.reading.installed import pipeline_source
from spacediff.record import Role
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.sources.local.generate import LocalSource
from spacediff.sources.local.scheduler_fit import scheduler_warnings, unserved_schedulers
from spacediff.torchvision_shim import shim_torchvision
from spacediff.wording import sentence
from support.listeners import RememberingListener
from support.tiny_wan import CALL, PROMPT

shim_torchvision()

FLOW = ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0})
UNIPC = ("UniPCMultistepScheduler", {"prediction_type": "flow_prediction", "use_flow_sigmas": True})
DIFFUSION: tuple[str, dict[str, Any]] = ("DDIMScheduler", {})
NO_WARNING: tuple[str, ...] = ()

FLOW_CONFIG = {"class": "FlowMatchEulerDiscreteScheduler", "shift": 3.0}
WAN = {"class": "UniPCMultistepScheduler", "use_flow_sigmas": True, "prediction_type": "flow_prediction"}
USUAL = {"class": "DDIMScheduler", "prediction_type": "epsilon"}
VELOCITY = {"class": "CogVideoXDDIMScheduler", "prediction_type": "v_prediction"}


def found(pipeline: str, own: tuple[str, dict[str, Any]], name: str, **changes: Any) -> tuple[str, ...]:
    """Exchange the scheduler of a checkpoint as a script does, and return what is said of it."""
    import diffusers

    loaded = SimpleNamespace(scheduler=getattr(diffusers, own[0])(**own[1]))
    made = object.__new__(getattr(diffusers, pipeline))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        vars(made)["scheduler"] = getattr(diffusers, name).from_config(loaded.scheduler.config, **changes)
    return scheduler_warnings(made, loaded)


@pytest.mark.parametrize(
    ("pipeline", "own", "name", "changes"),
    [
        ("WanPipeline", UNIPC, "UniPCMultistepScheduler", {"flow_shift": 8.0}),
        ("WanPipeline", UNIPC, "FlowMatchEulerDiscreteScheduler", {"shift": 3.0}),
        ("WanPipeline", FLOW, "FlowMatchHeunDiscreteScheduler", {}),
        ("WanPipeline", FLOW, "UniPCMultistepScheduler", UNIPC[1]),
        ("StableDiffusionPipeline", DIFFUSION, "EulerDiscreteScheduler", {}),
        ("StableDiffusionPipeline", DIFFUSION, "DPMSolverMultistepScheduler", {}),
        ("CogVideoXPipeline", ("CogVideoXDDIMScheduler", {}), "CogVideoXDPMScheduler", {}),
    ],
)
def test_a_scheduler_that_the_pipeline_serves_is_not_mentioned(
    pipeline: str, own: tuple[str, dict[str, Any]], name: str, changes: dict[str, Any]
) -> None:
    assert found(pipeline, own, name, **changes) == NO_WARNING


@pytest.mark.parametrize(
    ("pipeline", "own", "name", "changes", "said"),
    [
        (
            "WanPipeline",
            FLOW,
            "DDIMScheduler",
            {},
            "reads the model's prediction as noise, but the checkpoint's own scheduler as the flow",
        ),
        ("WanPipeline", UNIPC, "DDIMScheduler", {}, "DDIMScheduler knows no prediction type flow_prediction"),
        ("WanPipeline", FLOW, "EulerDiscreteScheduler", {}, "starts from noise of the scale"),
        ("WanPipeline", FLOW, "EulerDiscreteScheduler", {}, "WanPipeline does not ask it to"),
        ("WanPipeline", FLOW, "EDMEulerScheduler", {}, "WanPipeline does not scale the noise"),
        (
            "StableDiffusionPipeline",
            DIFFUSION,
            "DDIMScheduler",
            {"prediction_type": "v_prediction"},
            "prediction as velocity, but the checkpoint's own scheduler as noise",
        ),
        ("StableDiffusionPipeline", DIFFUSION, FLOW[0], {}, "uses init_noise_sigma of its scheduler"),
    ],
)
def test_a_scheduler_that_the_pipeline_does_not_serve_is_said(
    pipeline: str, own: tuple[str, dict[str, Any]], name: str, changes: dict[str, Any], said: str
) -> None:
    assert any(said in each for each in found(pipeline, own, name, **changes))


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # NumPy's, of how diffusers makes an array of a tensor
def test_the_warning_comes_before_the_first_step(wan_checkpoint: Path) -> None:
    class Listener(RememberingListener):
        def on_step(self, done: int, total: int) -> None:
            order.append(f"step {done} of {total}")

        def on_status(self, text: str) -> None:
            order.append(text)

    order: list[str] = []
    tables = {
        "model": {"id": str(wan_checkpoint)},
        "placement": "cpu",
        "call": CALL,
        "scheduler": {"class": "EulerDiscreteScheduler"},
    }
    made = LocalSource().generate(Settings.of(tables, Origin.DECLARED), PROMPT, 42, Listener())
    (warning,) = [each for each in made.warnings if "reads the model" in each]
    said = next(index for index, text in enumerate(order) if warning in text)
    assert said < order.index("step 1 of 3")


def noticed(stored: dict[str, Any], pipeline: str = "", **scheduler: Any) -> list[str]:
    """Return what is said before the first of two runs, of a checkpoint that names this pipeline class."""
    settings = Settings.of({"model": {"id": "m"}, "scheduler": scheduler}, Origin.DECLARED)
    runs = [Run(name, Role.VARIANT, Prompt("p", "text", 1), "diffusers", settings) for name in ("one", "two")]
    return [
        sentence(each) for each in unserved_schedulers(runs, lambda *_: Checkpoint("m", stored), lambda *_: pipeline)
    ]


@pytest.mark.parametrize(
    ("stored", "scheduler"),
    [
        (FLOW_CONFIG, {"class": "DDIMScheduler"}),
        (FLOW_CONFIG, {"class": "UniPCMultistepScheduler"}),
        (WAN, {"class": "EulerDiscreteScheduler"}),
        (USUAL, {"class": "FlowMatchEulerDiscreteScheduler"}),
        (USUAL, {"prediction_type": "v_prediction"}),
        (USUAL, {"class": "UniPCMultistepScheduler", "prediction_type": "flow_prediction", "use_flow_sigmas": True}),
    ],
)
def test_a_scheduler_for_another_prediction_is_warned_of_once(
    stored: dict[str, Any], scheduler: dict[str, Any]
) -> None:
    (said,) = noticed(stored, **scheduler)
    assert said.startswith("one: ")
    assert "the pictures will be wrong" in said


@pytest.mark.parametrize(
    ("stored", "scheduler"),
    [
        (FLOW_CONFIG, {"class": "FlowMatchHeunDiscreteScheduler"}),
        (FLOW_CONFIG, WAN),
        (WAN, {"class": "FlowMatchEulerDiscreteScheduler"}),
        (WAN, {"flow_shift": 5.0}),
        (USUAL, {"class": "EulerDiscreteScheduler"}),
        (VELOCITY, {"class": "CogVideoXDPMScheduler"}),
        (WAN, {"use_flow_sigmas": False}),
        (FLOW_CONFIG, {"class": "LTXEulerAncestralRFScheduler"}),
        (WAN, {"class": "LTXEulerAncestralRFScheduler"}),
        (FLOW_CONFIG, {"class": "FlowMapEulerDiscreteScheduler"}),
        (FLOW_CONFIG, {"class": "SCMScheduler"}),
        (WAN, {"class": "SCMScheduler"}),
        ({"class": "LTXEulerAncestralRFScheduler"}, {"class": "FlowMatchEulerDiscreteScheduler"}),
        ({}, {"class": "DDIMScheduler"}),
    ],
)
def test_a_scheduler_for_the_same_prediction_is_not(stored: dict[str, Any], scheduler: dict[str, Any]) -> None:
    assert noticed(stored, **scheduler) == []


@pytest.mark.parametrize(
    ("pipeline", "own", "name"),
    [
        ("WanPipeline", FLOW, "EulerDiscreteScheduler"),
        ("WanPipeline", FLOW, "EDMEulerScheduler"),
        ("CogVideoXPipeline", ("CogVideoXDDIMScheduler", {}), "EulerDiscreteScheduler"),
        ("StableDiffusionPipeline", DIFFUSION, FLOW[0]),
        ("StableDiffusionPipeline", DIFFUSION, "EulerDiscreteScheduler"),
        ("WanPipeline", FLOW, "FlowMatchHeunDiscreteScheduler"),
    ],
)
def test_what_is_said_before_the_first_run_is_what_a_loaded_run_says(
    pipeline: str, own: tuple[str, dict[str, Any]], name: str
) -> None:
    before = noticed({**own[1], "class": own[0]}, pipeline, **{"class": name})
    assert before == [f"one: {each}" for each in found(pipeline, own, name)]


@pytest.mark.parametrize("name", ["LTXEulerAncestralRFScheduler", "FlowMapEulerDiscreteScheduler", "SCMScheduler"])
def test_a_class_that_does_not_say_how_it_reads_is_not_said_to_read_noise(name: str) -> None:
    for own in (FLOW, UNIPC):
        assert not any("reads the model" in each for each in found("LTXPipeline", own, name))


def test_a_scaling_that_the_pipeline_never_makes_is_said_before_the_first_run() -> None:
    said = noticed(FLOW_CONFIG, "WanPipeline", **{"class": "EulerDiscreteScheduler"})
    assert any("starts from noise of the scale" in each for each in said)
    assert any("WanPipeline does not ask it to" in each for each in said)
    assert noticed(USUAL, "StableDiffusionPipeline", **{"class": "EulerDiscreteScheduler"}) == []


@pytest.mark.parametrize("pipeline", ["", "AutoPipelineForText2Image", "DiffusionPipeline", "NoSuchPipeline"])
def test_no_scaling_is_said_of_a_pipeline_that_is_not_known(pipeline: str) -> None:
    (said,) = noticed(FLOW_CONFIG, pipeline, **{"class": "EulerDiscreteScheduler"})
    assert "reads the model's prediction" in said


def test_the_pipelines_inside_a_combined_one_scale_for_it() -> None:
    assert "init_noise_sigma" in pipeline_source("KandinskyV22CombinedPipeline")


def test_a_scheduler_that_cannot_be_built_is_left_to_its_run() -> None:
    assert noticed(USUAL, "StableDiffusionPipeline", **{"class": "EulerDiscreteScheduler", "beta_schedule": 3}) == []
    assert noticed(USUAL, "StableDiffusionPipeline", **{"class": "NoSuchScheduler"}) == []
