"""Fill in what the Settings leave unsaid, from the pipeline that is about to run."""

from __future__ import annotations

import inspect
import json
from typing import Any

from spacediff.clip import Clip
from spacediff.observer.observation import Noise
from spacediff.scenario.tables import OWNED
from spacediff.settings import EXPORT_FPS, EXPORT_QUALITY, Origin, Settings
from spacediff.sources.local.pipeline import Checkpoint


def resolved(declared: Settings, checkpoint: Checkpoint, pipeline: Any, seed: int, placement: str) -> Settings:
    """Return the declared Settings, filled from the library and the checkpoint.

    Args:
        declared: What the scenario says.
        checkpoint: Where the pipeline came from.
        pipeline: The pipeline with the Settings applied.
        seed: The prompt's seed.
        placement: The placement in force.
    """
    filled = declared
    of_checkpoint, of_class = _scheduler(pipeline.scheduler, checkpoint.pipeline.scheduler)
    for defaults, where in (
        ({"call": _call_defaults(pipeline)}, f"{type(pipeline).__name__}.__call__"),
        ({"scheduler": of_checkpoint}, "the checkpoint's scheduler config"),
        ({"scheduler": of_class}, type(pipeline.scheduler).__name__),
        ({"numerics": _numerics()}, "torch"),
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
    return filled.changed_by(Settings.of({"model": _unsaid(loaded, declared)}, Origin.DEFAULT, "from_pretrained"))


def completed(settings: Settings, clip: Clip, noise: Noise | None) -> Settings:
    """Return the Settings with what the pipeline chose itself: the sizes, read off the clip, and the noise's dtype."""
    frames, height, width = clip.frames.shape[:3]
    seen = {"num_frames": frames, "height": height, "width": width}
    unsaid = {name: value for name, value in seen.items() if settings.value(f"call.{name}") is None}
    found = {"call": unsaid, "output": {"frames": frames}} if unsaid else {"output": {"frames": frames}}
    whole = settings.changed_by(Settings.of(found, Origin.OBSERVED, "the clip"))
    if noise is None:
        return whole
    return whole.filled_from(Settings.of({"rng": {"dtype": noise.dtype}}, Origin.OBSERVED, "the initial noise"))


def _unsaid(values: dict[str, Any], declared: Settings) -> dict[str, Any]:
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
    """Return the scheduler's entries: those that the checkpoint's config holds, and those that its class fills in."""
    config = {name: value for name, value in scheduler.config.items() if not name.startswith("_") and _plain(value)}
    whole = {"class": type(scheduler).__name__, **config}
    there = {"class": type(loaded).__name__, **loaded.config}
    of_checkpoint = {name: value for name, value in whole.items() if name in there and there[name] == value}
    return of_checkpoint, {name: value for name, value in whole.items() if name not in of_checkpoint}


def _numerics() -> dict[str, Any]:
    import torch

    return {
        "attention": "chosen by torch",
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "tf32": torch.backends.cuda.matmul.allow_tf32,
        "threads": torch.get_num_threads(),
    }


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
