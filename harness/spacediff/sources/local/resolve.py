"""Complete the Settings with the defaults of the library and the checkpoint, and with what the pipeline chose."""

from __future__ import annotations

import inspect
import json
from typing import Any

from spacediff.clip import Clip
from spacediff.observer.observation import Noise
from spacediff.scenario.tables import OWNED
from spacediff.settings import EXPORT_FPS, EXPORT_QUALITY, Origin, Settings
from spacediff.sources.local.numerics import current_numerics
from spacediff.sources.local.pipeline import Checkpoint


def resolved(declared: Settings, checkpoint: Checkpoint, pipeline: Any, seed: int, placement: str) -> Settings:
    """Complete the declared Settings with the defaults of the library and the checkpoint.

    Args:
        declared: The Settings of the scenario.
        checkpoint: The checkpoint of the pipeline.
        pipeline: The pipeline with the Settings applied.
        seed: The prompt's seed.
        placement: The placement that is used.
    """
    filled = declared
    of_checkpoint, of_class = _scheduler(pipeline.scheduler, checkpoint.pipeline.scheduler)
    for defaults, where in (
        ({"call": _call_defaults(pipeline)}, f"{type(pipeline).__name__}.__call__"),
        ({"scheduler": of_checkpoint}, "the checkpoint's scheduler config"),
        ({"scheduler": of_class}, type(pipeline.scheduler).__name__),
        ({"numerics": current_numerics()}, "torch"),
        ({"rng": {"stream": f"torch {_torch_version()}"}}, "the installed torch"),
        ({"rng": {"seed": seed}}, "the prompt"),
        ({"rng": {"device": "cpu"}, "placement": placement, "output": {"rounding": "round"}}, "spacediff"),
        ({"output": {"fps": EXPORT_FPS, "quality": EXPORT_QUALITY}}, "diffusers.utils.export_to_video"),
        ({"vae": _vae(pipeline)}, "the checkpoint's VAE"),
    ):
        filled = filled.filled_from(Settings.of(defaults, Origin.DEFAULT, where))
    loaded = {"pipeline": type(pipeline).__name__, "dtype": _dtype(pipeline)}
    if checkpoint.commit:
        loaded["commit"] = checkpoint.commit
    return filled.changed_by(Settings.of({"model": _not_declared(loaded, declared)}, Origin.DEFAULT, "from_pretrained"))


def completed(settings: Settings, clip: Clip, noise: Noise | None) -> Settings:
    """Complete the Settings with what the pipeline chose: the sizes of the clip and the dtype of the noise."""
    frames, height, width = clip.frames.shape[:3]
    seen = {"num_frames": frames, "height": height, "width": width}
    unset = {name: value for name, value in seen.items() if settings.value(f"call.{name}") is None}
    found = {"call": unset, "output": {"frames": frames}} if unset else {"output": {"frames": frames}}
    whole = settings.changed_by(Settings.of(found, Origin.OBSERVED, "the clip"))
    if noise is None:
        return whole
    return whole.filled_from(Settings.of({"rng": {"dtype": noise.dtype}}, Origin.OBSERVED, "the initial noise"))


def _not_declared(values: dict[str, Any], declared: Settings) -> dict[str, Any]:
    return {name: value for name, value in values.items() if declared.value(f"model.{name}") != value}


def _call_defaults(pipeline: Any) -> dict[str, Any]:
    parameters = inspect.signature(pipeline.__call__).parameters.values()
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if f"call.{parameter.name}" not in OWNED
        and parameter.default is not inspect.Parameter.empty
        and _plain(parameter.default)
    }


def _scheduler(scheduler: Any, loaded: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the scheduler's entries: those of the checkpoint's config, and those from the defaults of its class."""
    config = {name: value for name, value in scheduler.config.items() if not name.startswith("_") and _plain(value)}
    whole = {"class": type(scheduler).__name__, **config}
    of_config = {"class": type(loaded).__name__, **loaded.config}
    of_checkpoint = {name: value for name, value in whole.items() if name in of_config and of_config[name] == value}
    return of_checkpoint, {name: value for name, value in whole.items() if name not in of_checkpoint}


def _torch_version() -> str:
    import torch

    return str(torch.__version__)


def _vae(pipeline: Any) -> dict[str, bool]:
    vae = getattr(pipeline, "vae", None)
    return {
        name: bool(getattr(vae, attribute))
        for name, attribute in (("tiling", "use_tiling"), ("slicing", "use_slicing"))
        if hasattr(vae, attribute)
    }


def _dtype(pipeline: Any) -> str:
    denoiser = getattr(pipeline, "transformer", None) or getattr(pipeline, "unet", None) or pipeline
    return str(denoiser.dtype).removeprefix("torch.")


def _plain(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
