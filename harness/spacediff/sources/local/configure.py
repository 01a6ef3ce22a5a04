"""Apply Settings to a pipeline: its scheduler, its VAE, the arguments of its call."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from importlib.util import find_spec
from typing import Any

from spacediff.errors import PackageUnavailable, UnsupportedSetting, did_you_mean, failure
from spacediff.reading.signatures import dropped
from spacediff.record import Ignored
from spacediff.settings import Settings
from spacediff.sources.local.annotated import as_annotated
from spacediff.sources.local.caching import enable_cache
from spacediff.sources.local.guiding import guider_defaults, set_guider
from spacediff.sources.local.loading.modular import is_modular
from spacediff.sources.local.numerics.compilation import compile_denoisers
from spacediff.sources.local.vae import set_vae
from spacediff.watch.scheduling import replace_scheduler, scheduler_class


def apply_settings(pipeline: Any, settings: Settings) -> tuple[Ignored, ...]:
    """Set scheduler and VAE; return the arguments that the scheduler accepted without using them.

    Raises:
        UnsupportedSetting: The library has no such scheduler or switch, or refuses a value.
        PackageUnavailable: The scheduler needs a package that is not installed.
    """
    ignored = _set_scheduler(pipeline, settings.table("scheduler"))
    set_vae(pipeline, settings.table("vae"))
    set_guider(pipeline, settings)
    enable_cache(pipeline, settings)
    compile_denoisers(pipeline, settings)
    return ignored


def _set_scheduler(pipeline: Any, wanted: dict[str, Any]) -> tuple[Ignored, ...]:
    if not wanted:
        return ()
    if getattr(pipeline, "scheduler", None) is None:
        raise UnsupportedSetting(f"{type(pipeline).__name__} has no scheduler to set")
    kind = _known_class(wanted.pop("class", type(pipeline.scheduler).__name__))
    name = kind.__name__
    try:
        replace_scheduler(pipeline, kind, wanted)
    except Exception as error:
        raise UnsupportedSetting(f"{name} refuses its settings: {failure(error)}") from error
    expected = inspect.signature(kind).parameters
    return tuple(
        Ignored(argument=f"scheduler.{key}", value=value, given_to=f"{name}.from_config")
        for key, value in wanted.items()
        if key not in expected
    )


def _known_class(name: str) -> Any:
    import diffusers

    if (found := scheduler_class(name)) is not None:
        return found
    dummy = getattr(diffusers, name, None)  # in place of a class whose packages are not installed
    for package in getattr(dummy, "_backends", ()):
        if find_spec(package) is None:
            raise PackageUnavailable(
                f"{name} needs the package {package}, which is not installed", hint=f"pip install {package}"
            )
    known = [each for each in dir(diffusers) if each.endswith("Scheduler")]
    raise UnsupportedSetting(f"diffusers {diffusers.__version__} has no scheduler {name!r}{did_you_mean(name, known)}")


def call_arguments(pipeline: Any, settings: Settings) -> dict[str, Any]:
    """Return the arguments of the pipeline's call that the Settings contain.

    Raises:
        UnsupportedSetting: The pipeline takes no such argument.
    """
    arguments = settings.table("call")
    known, takes_any = _taken(pipeline)
    for name in arguments if takes_any else ():
        if name not in known and (said := dropped(type(pipeline).__name__, "__call__", name)):
            raise UnsupportedSetting(f"call.{name} has no effect: {said} ({type(pipeline).__name__}.__call__)")
    for name in () if takes_any else arguments:
        if name not in known:
            raise UnsupportedSetting(
                f"{type(pipeline).__name__}.__call__ takes no argument {name!r}{did_you_mean(name, known)}",
                hint=f"its guider takes it: set guider.{name}" if name in guider_defaults(pipeline) else "",
            )
    return as_annotated(pipeline.__call__, arguments)


def _taken(pipeline: Any) -> tuple[Collection[str], bool]:
    """Return the arguments that a pipeline's call takes, and whether it takes any other too.

    The call of a modular pipeline takes everything, and only logs what no block of it reads.
    """
    parameters = inspect.signature(pipeline.__call__).parameters
    takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
    inputs = [each.name for each in pipeline.blocks.inputs] if is_modular(pipeline) else []
    return [*parameters, *filter(None, inputs)], takes_any and not inputs
