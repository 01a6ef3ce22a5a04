"""Settings: what people call them; the dotted path where they have no other name."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAMES: Mapping[str, str] = {
    "call.guidance_scale": "guidance scale",
    "call.height": "height",
    "call.negative_prompt": "negative prompt",
    "call.num_frames": "number of frames",
    "call.num_inference_steps": "number of steps",
    "call.use_dynamic_cfg": "dynamic CFG",
    "call.width": "width",
    "call.guidance_scale_2": "guidance scale of the second transformer",
    "call.true_cfg_scale": "true CFG scale",
    "env.diffusers": "version of diffusers",
    "env.python": "version of Python",
    "env.requirements": "requirements",
    "env.space": "environment of the Space",
    "env.torch": "version of torch",
    "env.transformers": "version of transformers",
    "guider.class": "guider",
    "ip_adapter.id": "IP adapter",
    "ip_adapter.scale": "scale of the IP adapter",
    "load.device_map": "device map",
    "load.quantization_config": "quantisation",
    "load.text_encoder": "text encoder",
    "load.transformer": "transformer",
    "load.vae": "VAE",
    "model.converted_from": "model dtype before conversion",
    "model.dtype": "model dtype",
    "model.id": "model",
    "model.revision": "model revision",
    "numerics.attention": "attention backend",
    "numerics.compile": "torch.compile",
    "numerics.storage_dtype": "layerwise casting",
    "output.fps": "frame rate",
    "packages.ftfy": "whether ftfy is installed",
    "rng.device": "device of the noise",
    "rng.dtype": "dtype of the noise",
    "rng.seed": "seed",
    "rng.stream": "stream of the noise",
    "scheduler.class": "scheduler",
    "scheduler.timestep_spacing": "timestep spacing",
    "vae.dtype": "dtype of the VAE",
    "vae.slicing": "VAE slicing",
    "vae.tiling": "VAE tiling",
}

_PARTS: Mapping[str, str] = {
    "image_encoder": "image encoder",
    "safety_checker": "safety checker",
    "text_encoder": "text encoder",
    "text_encoder_2": "second text encoder",
    "text_encoder_3": "third text encoder",
    "transformer_2": "second transformer",
    "unet": "UNet",
    "vae": "VAE",
}
"""Components of a pipeline under the name that people have for them."""

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"components\.(\w+)(?:\.(?:id|file|subfolder))?", "the {0}"),
        (r"components\.(\w+)\.quantization(?:\..+)?", "quantisation of the {0}"),
        (r"components\.(\w+)\.(\w+)", "{1} of the {0}"),
        (r"lora\.([^.]+)(?:\.(?:id|weight_name))?", "LoRA {0}"),
        (r"lora\.([^.]+)\.(\w+)", "{1} of LoRA {0}"),
        (r"textual_inversion\.([^.]+)(?:\..+)?", "textual inversion {0}"),
        (r"ip_adapter\.(\w+)", "{0} of the IP adapter"),
        (r"guider\.(\w+)", "{0} of the guider"),
        (r"cache\.(?:class|kind|type)", "cache of the denoiser"),
        (r"cache\.(\w+)", "{0} of the cache"),
        (r"inputs\.(\w+)\.(\w+)", "{1} of the input {0}"),
        (r"packages\.([^.]+)", "whether {0} is installed"),
        (r"vae\.(tile_\w+)", "{0} of the VAE"),
    )
)


def ignored_text(argument: str, given_to: str, advice: str) -> str:
    """Say that a library accepted an argument and ignored it; the caller has escaped all three where it must."""
    return f"{argument} was accepted by {given_to} but ignored{f'; {advice}' if advice else ''}"


def setting_name(path: str) -> str:
    """Name a setting: `scheduler.class` is the scheduler; one without a common name keeps its dotted path."""
    if path in _NAMES:
        return _NAMES[path]
    for pattern, name in _PATTERNS:
        if found := pattern.fullmatch(path):
            return name.format(*(_PARTS.get(group, group) for group in found.groups()))
    return path
