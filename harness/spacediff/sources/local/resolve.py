"""Complete the Settings with the defaults of the library and the checkpoint, and with what the pipeline chose."""

from __future__ import annotations

import inspect
from typing import Any

from spacediff.clip import Clip, counted
from spacediff.observer.observation import Noise
from spacediff.observer.packages import optional_packages
from spacediff.observer.structure import denoisers_of
from spacediff.observer.switches import current_numerics
from spacediff.observer.vae_state import vae_state
from spacediff.record import Ignored
from spacediff.scenario.owned import OWNED
from spacediff.settings import EXPORT_FPS, EXPORT_QUALITY, Origin, Settings
from spacediff.sources.local.caching import cache_defaults
from spacediff.sources.local.guiding import guider_defaults
from spacediff.sources.local.loading.as_loaded import components_as_loaded, dtype_of
from spacediff.sources.local.loading.checkpoint import Checkpoint
from spacediff.watch.values import is_json


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
    scheduler = getattr(pipeline, "scheduler", None)
    of_checkpoint, of_class = _scheduler(scheduler, checkpoint.pipeline.scheduler) if scheduler else ({}, {})
    cached, guided = cache_defaults(declared), guider_defaults(pipeline)
    for defaults, where in (
        ({"call": _call_defaults(pipeline)}, f"{type(pipeline).__name__}.__call__"),
        ({"scheduler": of_checkpoint}, "the checkpoint's scheduler config"),
        ({"scheduler": of_class}, type(scheduler).__name__),
        ({"numerics": current_numerics()}, "torch"),
        ({"rng": {"stream": f"torch {_torch_version()}"}}, "the installed torch"),
        ({"rng": {"seed": seed}}, "the prompt"),
        ({"rng": {"device": "cpu"}, "placement": placement, "output": {"rounding": "round"}}, "spacediff"),
        ({"output": {"fps": EXPORT_FPS, "quality": EXPORT_QUALITY}}, "diffusers.utils.export_to_video"),
        ({"cache": cached} if cached else {}, str(declared.value("cache.class"))),
        ({"guider": guided} if guided else {}, "the checkpoint's guider"),
        ({"vae": vae_state(pipeline)}, "the checkpoint's VAE"),
    ):
        filled = filled.filled_from(Settings.of(defaults, Origin.DEFAULT, where))
    if installed := optional_packages(pipeline):
        filled = filled.changed_by(Settings.of({"packages": installed}, Origin.OBSERVED, "installed here"))
    loaded = {"pipeline": type(pipeline).__name__, "dtype": _dtype(pipeline)}
    if checkpoint.commit:
        loaded["commit"] = checkpoint.commit
    model = _not_declared(loaded, declared)
    found = {
        **({"model": model} if model else {}),  # an empty table would be a value, in place of what is declared
        **components_as_loaded(checkpoint.pipeline, declared, loaded["dtype"]),
    }
    return filled.changed_by(Settings.of(found, Origin.DEFAULT, "from_pretrained"))


def completed(settings: Settings, clip: Clip, noise: Noise | None) -> Settings:
    """Complete the Settings with what the pipeline chose: the sizes of the clip and the dtype of the noise."""
    frames, height, width = clip.frames.shape[:3]
    seen = {"height": height, "width": width}
    if clip.medium == "video":
        seen["num_frames"] = frames
    unset = {name: value for name, value in seen.items() if settings.value(f"call.{name}") is None}
    found: dict[str, Any] = {"output": {counted(clip.medium): frames}}
    if unset:
        found["call"] = unset
    needed = Settings({path: setting for path, setting in settings.items() if path not in _useless(clip)})
    whole = needed.changed_by(Settings.of(found, Origin.OBSERVED, "the clip"))
    if noise is None or not noise.drawn:
        return whole
    return whole.filled_from(Settings.of({"rng": {"dtype": noise.dtype}}, Origin.OBSERVED, "the initial noise"))


def without_effect(declared: Settings, clip: Clip) -> tuple[Ignored, ...]:
    """List the declared settings of a video's file where pictures were made."""
    useless = (path for path in _useless(clip) if path in declared)
    return tuple(
        Ignored(argument=path, value=declared.value(path), given_to="a pipeline that returns pictures")
        for path in useless
    )


def _useless(clip: Clip) -> tuple[str, ...]:
    return ("output.fps", "output.quality") if clip.medium == "pictures" else ()


def _not_declared(values: dict[str, Any], declared: Settings) -> dict[str, Any]:
    return {name: value for name, value in values.items() if declared.value(f"model.{name}") != value}


def _call_defaults(pipeline: Any) -> dict[str, Any]:
    parameters = inspect.signature(pipeline.__call__).parameters.values()
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if f"call.{parameter.name}" not in OWNED
        and parameter.default is not inspect.Parameter.empty
        and is_json(parameter.default)
    }


def _scheduler(scheduler: Any, loaded: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the scheduler's entries: those of the checkpoint's config, and those from the defaults of its class."""
    config = {name: value for name, value in scheduler.config.items() if not name.startswith("_") and is_json(value)}
    whole = {"class": type(scheduler).__name__, **config}
    of_config = {"class": type(loaded).__name__, **loaded.config}
    of_checkpoint = {name: value for name, value in whole.items() if name in of_config and of_config[name] == value}
    return of_checkpoint, {name: value for name, value in whole.items() if name not in of_checkpoint}


def _torch_version() -> str:
    import torch

    return str(torch.__version__)


def _dtype(pipeline: Any) -> str:
    return dtype_of(next((part for _, part in denoisers_of(pipeline)), pipeline))
