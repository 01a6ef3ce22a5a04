"""Caches of diffusers that skip parts of the denoiser: enabled as a script does, with the options of their class.

The key insight: `enable_cache` takes any model, and does nothing without a word where it finds no block that it knows.
So what it has hooked is looked at, and a cache that hooks nothing is refused.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from spacediff.errors import UnsupportedSetting, failure
from spacediff.scenario.tables.caching import FOR_CALLBACKS
from spacediff.settings import Settings
from spacediff.sources.local.annotated import as_annotated
from spacediff.sources.local.known_names import ensure_known
from spacediff.sources.local.library_warnings import warnings_of_libraries
from spacediff.sources.local.weights import modules_of

_TIMESTEP = "current_timestep_callback"


def enable_cache(pipeline: Any, settings: Settings) -> None:
    """Enable the declared cache on every denoiser of a pipeline that takes one.

    Args:
        pipeline: The pipeline of the run, which nothing else uses.
        settings: The declared Settings.

    Raises:
        UnsupportedSetting: diffusers has no such cache or option, or the cache does nothing for this pipeline.
    """
    wanted = settings.table("cache")
    if not wanted:
        return
    config_class = _config_class(wanted.pop("class", None))
    name = config_class.__name__
    options = _options(pipeline, config_class, wanted)
    models: list[Any] = [model for _, model in modules_of(pipeline) if hasattr(model, "enable_cache")]
    if not models:
        raise UnsupportedSetting(f"cache.class = {name!r} cannot be used: no model of {_name(pipeline)} takes a cache")
    for model in models:
        before = _hooks(model)
        try:
            with warnings_of_libraries():
                model.enable_cache(config_class(**options))
        except Exception as error:
            raise UnsupportedSetting(
                f"cache.class = {name!r} cannot be used by {type(model).__name__}: {failure(error)}"
            ) from error
        if _hooks(model) == before:
            raise UnsupportedSetting(
                f"cache.class = {name!r} has no effect: it finds nothing to skip in {type(model).__name__}",
                hint="choose another cache, or other options of it, such as the identifiers of blocks",
            )


def cache_defaults(settings: Settings) -> dict[str, Any]:
    """Return the defaults of the declared cache's options; empty without a cache."""
    if (name := settings.value("cache.class")) is None:
        return {}
    parameters = inspect.signature(_config_class(name)).parameters.values()
    return {
        each.name: list(each.default) if isinstance(each.default, tuple) else each.default
        for each in parameters
        if each.default is not inspect.Parameter.empty and not each.name.startswith("_") and _is_plain(each.default)
    }


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float | str) or (isinstance(value, tuple) and all(map(_is_plain, value)))


def _config_class(name: str | None) -> Any:
    import diffusers
    from diffusers import hooks

    try:
        taken = inspect.getsource(diffusers.CacheMixin.enable_cache)
    except AttributeError as error:
        raise UnsupportedSetting(f"diffusers {diffusers.__version__} has no caches") from error
    known = [each for each in dir(hooks) if each.endswith("Config") and f"isinstance(config, {each})" in taken]
    if name is None:
        raise UnsupportedSetting("cache has options but no class", hint=f"set cache.class to one of {', '.join(known)}")
    ensure_known(name, known, f"diffusers {diffusers.__version__} has no cache {name!r}")
    return getattr(hooks, name)


def _options(pipeline: Any, config_class: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a cache's class, with the callback that says where the loop is."""
    import torch

    parameters = inspect.signature(config_class).parameters
    known = [name for name in parameters if not name.startswith("_") and not name.endswith(FOR_CALLBACKS)]
    for name in wanted:
        ensure_known(name, known, f"{config_class.__name__} has no option {name!r}")
    options = as_annotated(config_class, wanted)
    for name, value in wanted.items():
        if name.endswith("dtype") and isinstance(value, str):
            options[name] = getattr(torch, value, value)
    if _TIMESTEP in parameters:
        if not hasattr(type(pipeline), "current_timestep"):
            raise UnsupportedSetting(
                f"cache.class = {config_class.__name__!r} needs the current timestep, which {_name(pipeline)} does not "
                "say"
            )
        options[_TIMESTEP] = lambda: pipeline.current_timestep
    return options


def _hooks(model: Any) -> list[tuple[str, str]]:
    """Return the hooks inside a model, as paths of modules and names; a hook on the whole model skips nothing."""
    return [(path, name) for path, module in model.named_modules() if path for name in _hooks_of(module)]


def _hooks_of(module: Any) -> Iterator[str]:
    yield from getattr(getattr(module, "_diffusers_hook", None), "hooks", ())


def _name(pipeline: Any) -> str:
    return type(pipeline).__name__
