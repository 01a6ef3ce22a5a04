"""The clips of the generation benchmark: eight, of which four share their denoising with a different one."""

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
