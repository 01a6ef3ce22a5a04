"""Settings: what people call them; the dotted path where they have no other name."""

from __future__ import annotations

from collections.abc import Mapping

_NAMES: Mapping[str, str] = {
    "call.guidance_scale": "guidance scale",
    "call.height": "height",
    "call.negative_prompt": "negative prompt",
    "call.num_frames": "number of frames",
    "call.num_inference_steps": "number of steps",
    "call.use_dynamic_cfg": "dynamic CFG",
    "call.width": "width",
    "load.device_map": "device map",
    "load.quantization_config": "quantisation",
    "load.text_encoder": "text encoder",
    "load.transformer": "transformer",
    "load.vae": "VAE",
    "model.dtype": "model dtype",
    "model.id": "model",
    "model.revision": "model revision",
    "numerics.compile": "torch.compile",
    "numerics.storage_dtype": "layerwise casting",
    "output.fps": "frame rate",
    "rng.device": "device of the noise",
    "rng.dtype": "dtype of the noise",
    "rng.seed": "seed",
    "rng.stream": "stream of the noise",
    "scheduler.class": "scheduler",
    "scheduler.timestep_spacing": "timestep spacing",
    "vae.slicing": "VAE slicing",
    "vae.tiling": "VAE tiling",
}


def ignored_text(argument: str, given_to: str, advice: str) -> str:
    """Say that a library accepted an argument and ignored it; the caller has escaped all three where it must."""
    return f"{argument} was accepted by {given_to} but ignored{f'; {advice}' if advice else ''}"


def setting_name(path: str) -> str:
    """Name a setting: `scheduler.class` is the scheduler; one without a common name keeps its dotted path."""
    return _NAMES.get(path, path)
