"""The scenarios that ship: valid without a network, honest about their sources, and no seed that the Space draws."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.api import load_scenario
from spacediff.plan import plan_scenario
from spacediff.shipped import copy_scenarios, shipped
from spacediff.sources.space.own_seeds import own_seeds
from spacediff.sources.space.request import SpaceRequest

SHIPPED = sorted(shipped("scenarios").glob("*.toml"))
OTHERS = {"program.toml": "command", "inference-api.toml": "inference"}
"""Scenarios whose reference is no Space, with the source that it is."""
OF_SPACES = [path for path in SHIPPED if path.name not in {"quickstart.toml", *OTHERS}]
RANDOMISING = frozenset(
    {
        "Lightricks/ltx-video-distilled",
        "Qwen/Qwen-Image",
        "black-forest-labs/FLUX.1-dev",
        "black-forest-labs/FLUX.1-schnell",
        "multimodalart/wan2-1-fast",
        "zerogpu-aoti/wan2-2-fp8da-aoti-faster",
    }
)
"""Spaces with an input that draws a seed unless it is off; each scenario for one of them has to switch it off."""


def request_of(path: Path) -> SpaceRequest:
    (first, *_) = (run for run in plan_scenario(load_scenario(path)).runs if run.source == "space")
    return SpaceRequest(**first.request)


@pytest.mark.parametrize("path", OF_SPACES, ids=lambda path: path.name)
def test_a_scenario_for_a_space_can_be_planned_and_sends_the_seed(path: Path) -> None:
    request = request_of(path)
    assert "{seed}" in repr(request.inputs)
    assert own_seeds(request) == []
    random = [name for name in request.inputs if "random" in name]
    assert [request.inputs[name] for name in random] == [False] * len(random)
    assert random or request.id not in RANDOMISING


@pytest.mark.parametrize("path", OF_SPACES, ids=lambda path: path.name)
def test_a_scenario_for_a_space_searches_a_cause_and_names_its_sources(path: Path) -> None:
    scenario = load_scenario(path)
    assert scenario.explain is not None
    assert scenario.gate is not None
    assert scenario.gate.variant == scenario.explain.to == "as-hosted"
    comment = "".join(line for line in path.read_text("utf-8").splitlines() if line.startswith("#"))
    assert "github.com/" in comment or "huggingface.co/" in comment or path.name == "cogvideox-5b-space.toml"


@pytest.mark.parametrize("name", OTHERS)
def test_a_scenario_of_another_source_can_be_planned_and_gives_the_seed(name: str) -> None:
    (path,) = (each for each in SHIPPED if each.name == name)
    scenario = load_scenario(path)
    first, *_ = plan_scenario(scenario).runs
    assert first.source == OTHERS[name]
    assert "{seed}" in repr(first.request)
    assert scenario.explain is not None
    assert scenario.explain.to == "as-hosted"
    assert "github.com/" in scenario.text or "huggingface.co/" in scenario.text


def test_pictures_are_copied_next_to_the_scenarios_that_need_them(tmp_path: Path) -> None:
    copied, kept = copy_scenarios(tmp_path)
    assert {path.name for path in SHIPPED} < {path.name for path in copied}
    assert not kept
    for path in tmp_path.glob("*.toml"):
        assert load_scenario(path).prompts
