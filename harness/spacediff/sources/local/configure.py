"""Apply Settings to a pipeline: its scheduler, its VAE, the arguments of its call."""

from __future__ import annotations

import inspect
from typing import Any

from spacediff.errors import UnsupportedSetting, failure, nearest_name
from spacediff.record import Ignored
from spacediff.settings import Settings


def apply_settings(pipeline: Any, settings: Settings) -> tuple[Ignored, ...]:
    """Set scheduler and VAE; return the arguments that the scheduler accepted without using them.

    Raises:
        UnsupportedSetting: The library has no such scheduler or switch, or refuses a value.
    """
    ignored = _set_scheduler(pipeline, settings.table("scheduler"))
    for name, on in settings.table("vae").items():
        method = getattr(getattr(pipeline, "vae", None), f"{'enable' if on else 'disable'}_{name}", None)
        if method is None:
            raise UnsupportedSetting(f"the VAE of {type(pipeline).__name__} has no {name}")
        method()
    return ignored


def _set_scheduler(pipeline: Any, wanted: dict[str, Any]) -> tuple[Ignored, ...]:
    if not wanted:
        return ()
    scheduler_class = _scheduler_class(wanted.pop("class", type(pipeline.scheduler).__name__))
    name = scheduler_class.__name__
    try:
        pipeline.scheduler = scheduler_class.from_config(pipeline.scheduler.config, **wanted)
    except Exception as error:
        raise UnsupportedSetting(f"{name} refuses its settings: {failure(error)}") from error
    expected = inspect.signature(scheduler_class).parameters
    return tuple(
        Ignored(argument=f"scheduler.{key}", value=value, given_to=f"{name}.from_config")
        for key, value in wanted.items()
        if key not in expected
    )


def _scheduler_class(name: str) -> Any:
    import diffusers

    found = getattr(diffusers, name, None)
    if isinstance(found, type) and issubclass(found, diffusers.SchedulerMixin):
        return found
    near = nearest_name(name, [known for known in dir(diffusers) if known.endswith("Scheduler")])
    raise UnsupportedSetting(
        f"diffusers {diffusers.__version__} has no scheduler {name!r}" + (f"; did you mean {near}?" if near else "")
    )


def call_arguments(pipeline: Any, settings: Settings) -> dict[str, Any]:
    """Return the arguments of the pipeline's call that the Settings contain.

    Raises:
        UnsupportedSetting: The pipeline takes no such argument.
    """
    arguments = settings.table("call")
    known = inspect.signature(pipeline.__call__).parameters
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in known.values()):
        return arguments
    for name in arguments:
        if name not in known:
            near = nearest_name(name, known)
            raise UnsupportedSetting(
                f"{type(pipeline).__name__}.__call__ takes no argument {name!r}"
                + (f"; did you mean {near!r}?" if near else "")
            )
    return arguments
