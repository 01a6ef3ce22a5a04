"""Scenario texts, and what loading them says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spacediff.errors import Exit, Mistake, ScenarioError
from spacediff.scenario.scenario import Scenario, parse_scenario

DESIGN = """\
title = "CogVideoX-5b: the usual script against the Space"

[prompts.lemon]
text = "A hand squeezes half a lemon over a glass bowl, close-up"
seed = 42

[baseline]                                   # what people run
model    = { id = "zai-org/CogVideoX-5b", dtype = "bfloat16" }
call     = { num_inference_steps = 50, num_frames = 49, guidance_scale = 6.0 }
rng      = { device = "cuda" }
placement = "model_cpu_offload"              # cuda | cpu | model_cpu_offload | sequential_cpu_offload | group_offload

[reference.space]
id = "zai-org/CogVideoX-5B-Space"
endpoint = "/generate"
inputs  = { prompt = "{prompt}", seed_value = "{seed}", scale_status = false, rife_status = false }
outputs = { video = 0, seed = 3 }

[variants.dynamic-cfg]
call.use_dynamic_cfg = true
[variants.dpm]
scheduler = { class = "CogVideoXDPMScheduler", timestep_spacing = "trailing" }
[variants.on-gpu]
placement = "cuda"
[variants.as-hosted]
from = ["dynamic-cfg", "dpm", "on-gpu"]      # all of these together
call.guidance_scale = 7.0
rng.device = "cpu"

[explain]                                    # search for the cause between these two
from = "baseline"
to   = "as-hosted"

[gate]                                       # what `make audit` passes or fails on
variant = "as-hosted"
max_drift = 0.05
"""
"""The example of the design, word for word."""


MINIMAL = """\
title = "t"
prompts.lemon = { text = "a lemon", seed = 1 }
baseline.model.id = "builtin:tiny-cogvideox"
reference.variant = "baseline"
"""


HERE = Path("scenarios") / "quickstart.toml"


def mistakes_in(text: str) -> tuple[Mistake, ...]:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, HERE)
    assert caught.value.exit_code is Exit.BAD_INPUT
    return caught.value.mistakes


def values(scenario: Scenario, name: str) -> dict[str, Any]:
    return {path: setting.value for path, setting in scenario.settings_of(name).items()}


def keys_of(table: dict[str, Any], where: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inside = ((key, value) for key, value in table.items() if isinstance(value, dict))
    below = [path for key, value in inside for path in keys_of(value, (*where, key))]
    return [*((*where, key) for key in table), *below]
