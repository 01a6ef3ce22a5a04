"""From which stage a setting acts: whatever may change an earlier result must not count as acting later."""

from __future__ import annotations

import pytest

from spacediff.stages import Stage, acts_from

EARLY = [
    "cache.class",
    "components.safety_checker",
    "components.text_encoder.dtype",
    "components.transformer.id",
    "components.vae.id",  # encodes input pictures, and its size decides that of the latents
    "guider.guidance_scale",
    "inputs.image.resize",
    "ip_adapter.scale",
    "load.device_map",
    "lora.style.scale",  # may have weights for the text encoder
    "numerics.attention",
    "packages.ftfy",
    "textual_inversion.cat.token",
    "vae.dtype",  # some pipelines take their own dtype from it
]


@pytest.mark.parametrize("path", EARLY)
def test_what_may_change_the_text_or_the_latents_is_never_skipped(path: str) -> None:
    assert acts_from(path) <= Stage.DENOISING


@pytest.mark.parametrize("path", ["vae.tiling", "vae.tile_sample_min_height", "output.fps"])
def test_what_only_decodes_or_writes_shares_the_denoising(path: str) -> None:
    assert acts_from(path) >= Stage.DECODING
