"""Schedulers: their class and configuration, however they are created, replaced or changed."""

from __future__ import annotations

from typing import Any

import pytest

from spacediff.reading import read_text

LOADED = """import math, torch
from diffusers import *
pipe = FluxPipeline.from_pretrained("org/flux")
"""
GIVEN = """
flow = FlowMatchEulerDiscreteScheduler.from_pretrained("org/flux", subfolder="scheduler", shift=2.0)
pipe = FluxPipeline.from_pretrained("org/flux", scheduler=flow)"""
TWICE = """
pipe.scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
pipe.scheduler = FlowMatchEulerDiscreteScheduler.from_config(pipe.scheduler.config, use_karras_sigmas=True)"""
CALL = "\npipe('a kite', generator=torch.Generator().manual_seed(1))\n"


def scheduler(lines: str) -> dict[str, Any]:
    settings = read_text(LOADED + lines + CALL, "run.py").settings
    return {path.partition(".")[2]: settings.value(path) for path in settings if path.startswith("scheduler.")}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("pipe.scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)", {"shift": 3.0}),
        ("pipe.scheduler = FlowMatchEulerDiscreteScheduler.from_config(pipe.scheduler.config, shift=5)", {"shift": 5}),
        ("pipe.scheduler = FlowMatchEulerDiscreteScheduler.from_config({'shift': math.log(1)})", {"shift": 0.0}),
        (GIVEN, {"shift": 2.0}),
        (TWICE, {"shift": 3.0, "use_karras_sigmas": True}),
        ("pipe.scheduler = FlowMatchEulerDiscreteScheduler(**pipe.scheduler.config, shift=4.0)", {"shift": 4.0}),
    ],
)
def test_a_scheduler_has_the_configuration_that_the_source_gives(lines: str, expected: dict[str, Any]) -> None:
    assert scheduler(lines) == {"class": "FlowMatchEulerDiscreteScheduler", **expected}


@pytest.mark.parametrize(
    "lines",
    ["pipe.scheduler.register_to_config(shift=3.0)", "pipe.scheduler.set_shift(3.0)", "pipe.scheduler._shift = 3.0"],
)
def test_a_change_of_the_pipelines_own_scheduler_is_a_setting(lines: str) -> None:
    assert scheduler(lines) == {"shift": 3.0}


def test_an_attribute_of_a_scheduler_that_is_no_configuration_is_noted() -> None:
    reading = read_text(f"{LOADED}pipe.scheduler.step = other_step{CALL}", "run.py")
    assert [(note.kind, note.text) for note in reading.notes] == [("patched part", "pipe.scheduler.step = other_step")]


OWN = """
class Mine({}):
    def __init__(self, config=None): pass
pipe.scheduler = Mine{}(pipe.scheduler.config)"""


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (OWN.format("SchedulerMixin, ConfigMixin", ".from_config"), "Mine"),
        (OWN.format("SchedulerMixin", ""), "Mine"),
        (OWN.format("object", ""), "Mine"),
        (OWN.format("object", ".from_config"), "Mine"),
        ("from own import Sampler\npipe.scheduler = Sampler.from_config(pipe.scheduler.config)", "Sampler"),
        ("from own import made\npipe.scheduler = made(pipe)", None),
    ],
)
def test_a_scheduler_of_other_code_is_named_or_unknown(lines: str, expected: str | None) -> None:
    reading = read_text(LOADED + lines + CALL, "run.py")
    assert reading.settings["scheduler.class"].value == expected
    assert ("scheduler.class" in reading.unknowns) is (expected is None)
