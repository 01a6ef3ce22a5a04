"""What is known of the checkpoints that come with spacediff, before they are written."""

from __future__ import annotations

from typing import Any

BUILTIN = ("builtin:tiny-cogvideox", "builtin:tiny-cogvideox-random")
"""Their names in scenarios."""
PIPELINE_CLASS = "CogVideoXPipeline"
"""The class of their pipelines."""

# scheduler/scheduler_config.json of zai-org/CogVideoX-5b (formerly THUDM/CogVideoX-5b) on the Hub. It differs from the
# defaults of the class in: v_prediction, trailing, zero terminal SNR, no clipping, and a shift of 1 (the 2b has 3).
SCHEDULER_CLASS = "CogVideoXDDIMScheduler"
SCHEDULER_CONFIG: dict[str, Any] = {
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "set_alpha_to_one": True,
    "snr_shift_scale": 1.0,
    "steps_offset": 0,
    "timestep_spacing": "trailing",
}
