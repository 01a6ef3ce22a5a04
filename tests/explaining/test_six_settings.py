"""Two ends that differ in six settings, as in a real report: what is seen, what is numeric, what is nothing.

Whether the tiles of this checkpoint's VAE are seen depends on the clip (`python -m benchmarks.vae_tiles`): in one of
these they change a tile by more than the codec does, in the other they do not.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.planted_pairs import searched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

SCENARIO = """
title = "six settings"
[prompts.p]
text = "PROMPT"
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
SEEN = {"scheduler.class", "call.use_dynamic_cfg", "call.guidance_scale"}
TILES, ROUNDING = "vae.tiling", "numerics.attention"


@pytest.mark.parametrize(
    ("prompt", "cause", "numeric"),
    [
        ("a blue cone and a green box meet over a brown floor", {*SEEN, TILES}, {ROUNDING}),
        ("a blue box and a green ball meet over a black floor", SEEN, {TILES, ROUNDING}),
    ],
    ids=["tiles seen", "tiles within the codec's loss"],
)
def test_what_is_seen_is_named_as_the_cause_and_what_is_numeric_is_not(
    tmp_path: Path, prompt: str, cause: set[str], numeric: set[str]
) -> None:
    found = searched(SCENARIO.replace("PROMPT", prompt), [*cause], [*numeric], tmp_path / "base")
    assert {*found.cause} == cause
    assert {*found.found_numeric} == numeric
    assert found.no_effect == ("scheduler.timestep_spacing",)
    assert found.proved
    assert found.generations < 17 / 2, "half of what it takes where every run goes to its end"
