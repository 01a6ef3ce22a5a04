"""Flat records: InvokeAI's `invokeai_metadata`, SwarmUI's `sui_image_params`, those of scripts that use diffusers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from spacediff.embedded.found import Found

_PATHS = {
    "prompt": "call.prompt", "positive_prompt": "call.prompt",
    "negative_prompt": "call.negative_prompt", "negativeprompt": "call.negative_prompt",
    "steps": "call.num_inference_steps", "num_inference_steps": "call.num_inference_steps",
    "guidance_scale": "call.guidance_scale", "cfg_scale": "call.guidance_scale", "cfgscale": "call.guidance_scale",
    "seed": "rng.seed", "width": "call.width", "height": "call.height", "num_frames": "call.num_frames",
}  # fmt: skip
"""Key of a record to the setting that it certainly is."""
_SCALES_OF_GUIDERS = {"cfg_scale", "cfgscale"}
"""Keys that are not the `guidance_scale` of diffusers where the record has another guidance, which the model embeds."""
_SCHEDULER = re.compile(r"[A-Z]\w{0,80}Scheduler")
_OF_INVOKE = {
    "ddim": "DDIMScheduler", "ddpm": "DDPMScheduler", "deis": "DEISMultistepScheduler", "lms": "LMSDiscreteScheduler",
    "pndm": "PNDMScheduler", "heun": "HeunDiscreteScheduler", "euler": "EulerDiscreteScheduler",
    "euler_a": "EulerAncestralDiscreteScheduler", "kdpm_2": "KDPM2DiscreteScheduler",
    "kdpm_2_a": "KDPM2AncestralDiscreteScheduler", "dpmpp_2s": "DPMSolverSinglestepScheduler",
    "dpmpp_2m": "DPMSolverMultistepScheduler", "unipc": "UniPCMultistepScheduler", "lcm": "LCMScheduler",
}  # fmt: skip
"""InvokeAI's names of schedulers to the class of diffusers that it runs (`SCHEDULER_MAP` of its source)."""
_OF_UNETS = {"sd-1", "sd-2", "sdxl"}
"""InvokeAI's names of the bases for which it uses these classes."""
_LEAST_KNOWN = 2
_DEVICES = {"cpu", "cuda"}


def read_invoke(record: Mapping[str, Any]) -> Found | None:
    """Return what InvokeAI declares; None if the record has none of its keys."""
    found = _read(record, "InvokeAI", {"rand_device", "scheduler", "model"})
    model = record.get("model")
    model = model if isinstance(model, Mapping) else {}
    base = model.get("base")
    if found is None:
        return None
    device, scheduler = record.get("rand_device"), record.get("scheduler")
    if isinstance(device, str) and device in _DEVICES:
        found.settings["rng.device"] = device
    if isinstance(scheduler, str) and isinstance(base, str) and base in _OF_UNETS and scheduler in _OF_INVOKE:
        found.settings["scheduler.class"] = _OF_INVOKE[scheduler]
    else:
        found.quote("scheduler", scheduler)
    found.quote("model", model.get("name") or model.get("model_name") or record.get("model_weights"))
    found.quote("model_base", base)
    return found


def read_record(record: Mapping[str, Any]) -> Found | None:
    """Return what a flat record declares; None if it has hardly any key that is known."""
    inner = record.get("sui_image_params")
    if isinstance(inner, Mapping):
        return _read(inner, "SwarmUI", set())
    found = _read(record, "a record of settings", {"scheduler"})
    scheduler = record.get("scheduler")
    if found is not None and isinstance(scheduler, str) and _SCHEDULER.fullmatch(scheduler):
        found.settings["scheduler.class"] = scheduler
    elif found is not None:
        found.quote("scheduler", scheduler)
    return found


def _read(record: Mapping[str, Any], program: str, elsewhere: set[str]) -> Found | None:
    known = [key for key in record if key.lower() in _PATHS]
    if len(known) < _LEAST_KNOWN:
        return None
    found = Found(program)
    unsure = _unsure(record)
    for key, value in record.items():
        path = _PATHS.get(key.lower())
        if path is not None and key.lower() not in unsure:
            found.say(path, value, key)
        elif key not in elsewhere:
            found.quote(key, value)
    return found


def _unsure(record: Mapping[str, Any]) -> set[str]:
    """Return keys, in lower case, that do not mean what they usually do because of other keys of the record."""
    given = [key.lower() for key, value in record.items() if value]
    found = set(_SCALES_OF_GUIDERS) if any("guidance" in key for key in given) else set()
    return found | ({"seed"} if any(key.startswith("variation") for key in given) else set())
