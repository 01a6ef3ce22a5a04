"""The clips of the generation benchmarks: eight, of which four share their denoising with another, and a large one."""

from __future__ import annotations

from typing import Any

PROMPT = "A hand squeezes half a lemon over a glass bowl, close-up"
SEED = 42
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "baseline": {},
    "fps": {"output": {"fps": 16}},
    "truncated": {"output": {"rounding": "truncate"}},
    "sliced": {"vae": {"slicing": True}},
    "guidance": {"call": {"guidance_scale": 7.0}},
    "dynamic-cfg": {"call": {"use_dynamic_cfg": True}},
    "dpm": {"scheduler": {"class": "CogVideoXDPMScheduler"}},
    "dpm-quality": {"scheduler": {"class": "CogVideoXDPMScheduler"}, "output": {"quality": 8}},
}

LARGE = "large"
"""A clip of the size that CogVideoX-5b generates, decoded in tiles of that size."""
_TILES = {"tiling": True, "tile_sample_min_height": 240, "tile_sample_min_width": 360}


def large(frames: int) -> dict[str, dict[str, Any]]:
    """Return the settings of the large clip, 480x720."""
    return {"call": {"height": 480, "width": 720, "num_frames": frames}, "vae": _TILES}
