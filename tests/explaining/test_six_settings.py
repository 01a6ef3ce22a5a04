"""Two ends that differ in six settings, as in a real report: four are seen, one is rounding, one is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.planted_pairs import searched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

SCENARIO = """
title = "six settings"
[prompts.p]
text = "a blue cone and a green box meet over a brown floor"
seed = 42
[baseline]
model = { id = "builtin:tiny-cogvideox", dtype = "float32" }
call = { num_inference_steps = 25, guidance_scale = 6.0 }
[reference]
variant = "as-hosted"
[scale]
seeds = 2
rerun = false
[explain]
from = "baseline"
to = "as-hosted"
weights = "none"
[variants.as-hosted]
scheduler.class = "CogVideoXDPMScheduler"
scheduler.timestep_spacing = "trailing"
call.use_dynamic_cfg = true
call.guidance_scale = 7.0
numerics.attention = "math"
vae.tiling = true
"""
SEEN = ("scheduler.class", "call.use_dynamic_cfg", "call.guidance_scale", "vae.tiling")
"""The tiles of this checkpoint's VAE are seen: the worst tile exceeds the codec's loss."""


def test_what_is_seen_is_named_as_the_cause_and_rounding_is_not(tmp_path: Path) -> None:
    found = searched(SCENARIO, SEEN, ("numerics.attention",), tmp_path / "base")
    assert {*found.cause} == {*SEEN}
    assert found.found_numeric == ("numerics.attention",)
    assert found.no_effect == ("scheduler.timestep_spacing",)
    assert found.proved
    assert found.generations < 17 / 2, "half of what it takes where every run goes to its end"
