"""The plain script of a run in another environment."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from spacediff.errors import UnsupportedSetting
from spacediff.record import Role
from spacediff.run import Prompt, Run
from spacediff.settings import Origin, Settings
from spacediff.sources.environment_script import put_in_of, script_of


def run(settings: dict[str, Any], **changes: Any) -> Run:
    nested = {"model": {"id": "org/name"}, "placement": "cpu", "env": {"diffusers": "0.36.0"}} | settings
    values = Settings.of(nested, Origin.DECLARED, "s.toml:3")
    return Run("old", Role.VARIANT, Prompt("lemon", "a secret lemon", 7), "diffusers", values, **changes)


def test_the_script_loads_places_and_calls_and_has_no_prompt() -> None:
    text = script_of(
        run({"model": {"id": "org/name", "dtype": "bfloat16", "pipeline": "WanPipeline"}, "load": {"low_cpu": True}})
    )
    ast.parse(text)
    assert "from diffusers import WanPipeline" in text
    assert 'from_pretrained("org/name", torch_dtype=torch.bfloat16, use_safetensors=True, low_cpu=True)' in text
    assert text.endswith('pipe.to("cpu")\npipe(prompt="", generator=torch.Generator("cpu").manual_seed(7))\n')
    assert "secret" not in text


def test_a_seed_of_the_settings_replaces_that_of_the_prompt() -> None:
    assert "manual_seed(9)" in script_of(run({"rng": {"seed": 9}}))


def test_a_global_generator_is_seeded_and_not_passed() -> None:
    assert script_of(run({"rng": {"device": "global"}})).endswith('torch.manual_seed(7)\npipe(prompt="")\n')


def test_what_acts_in_the_call_is_put_in() -> None:
    settings = run({"call": {"height": 8}, "scheduler": {"class": "X"}, "vae": {"tiling": True}}).settings
    assert list(put_in_of(settings)) == ["call.height", "scheduler.class", "vae.tiling"]


def test_a_script_differs_in_nothing_where_only_the_call_does() -> None:
    assert script_of(run({"call": {"height": 8}})) == script_of(run({"call": {"height": 16}}))


@pytest.mark.parametrize(
    "settings",
    [
        {"cache": {"class": "FasterCacheConfig"}},
        {"lora": {"style": {"id": "org/lora"}}},
        {"rng": {"stream": "float32"}},
        {"output": {"rounding": "truncate"}},
        {"components": {"vae": {"id": "org/vae"}}},
        {"guider": {"class": "X"}},
    ],
)
def test_what_a_plain_script_does_not_have_is_refused_with_its_line(settings: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedSetting, match=r"\(s\.toml:3\) cannot be set for a run in another environment"):
        script_of(run(settings))


def test_isolated_steps_are_refused() -> None:
    with pytest.raises(UnsupportedSetting, match="latents of another run"):
        script_of(run({}, fed_by=Settings()))


def test_hostile_names_stay_text() -> None:
    tree = ast.parse(script_of(run({"model": {"id": 'x"); import os; ("'}})))
    imported = [node.names[0].name for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imported == ["torch", "DiffusionPipeline"]
