"""The guider of a pipeline that has one: the component that decides how guidance acts, in place of `guidance_scale`."""

from __future__ import annotations

import inspect
from typing import Any

from spacediff.errors import UnsupportedSetting, failure
from spacediff.settings import Settings
from spacediff.sources.local.annotated import as_annotated
from spacediff.sources.local.known_names import ensure_known
from spacediff.sources.local.library_warnings import warnings_of_libraries


def set_guider(pipeline: Any, settings: Settings) -> None:
    """Give a pipeline the declared guider.

    Without a class, the pipeline's own guider gets the options, and keeps its others; with one, a new guider is made.

    Raises:
        UnsupportedSetting: The pipeline has no guider, or diffusers has no such class or option.
    """
    wanted = settings.table("guider")
    if not wanted:
        return
    own = getattr(pipeline, "guider", None)
    if own is None:
        raise UnsupportedSetting(
            f"{type(pipeline).__name__} has no guider",
            hint="its guidance is an argument of its call: set call.guidance_scale or the like",
        )
    name = wanted.pop("class", None)
    guider_class = type(own) if name is None else _guider_class(name)
    _refuse_unknown(guider_class, wanted)
    options = as_annotated(guider_class.__init__, wanted)
    try:
        with warnings_of_libraries():  # that guiders are experimental
            guider = own.new(**options) if name is None else guider_class(**options)
            if hasattr(pipeline, "update_components"):
                pipeline.update_components(guider=guider)
            else:
                pipeline.guider = guider
    except Exception as error:
        raise UnsupportedSetting(f"{guider_class.__name__} refuses its options: {failure(error)}") from error


def guider_defaults(pipeline: Any) -> dict[str, Any]:
    """Return the class of a pipeline's guider and its options; empty where it has none."""
    guider = getattr(pipeline, "guider", None)
    if guider is None or not hasattr(guider, "config"):
        return {}
    config = {name: value for name, value in guider.config.items() if not name.startswith("_")}
    plain = {name: value for name, value in config.items() if isinstance(value, bool | int | float | str)}
    return {"class": type(guider).__name__, **plain}


def _guider_class(name: str) -> Any:
    import diffusers

    try:
        from diffusers import guiders
    except ImportError as error:
        raise UnsupportedSetting(f"diffusers {diffusers.__version__} has no guiders") from error
    known = [
        each
        for each, found in inspect.getmembers(guiders, inspect.isclass)
        if issubclass(found, guiders.BaseGuidance) and found is not guiders.BaseGuidance
    ]
    ensure_known(name, known, f"diffusers {diffusers.__version__} has no guider {name!r}")
    return getattr(guiders, name)


def _refuse_unknown(guider_class: Any, wanted: dict[str, Any]) -> None:
    known = [name for name in inspect.signature(guider_class).parameters if name != "self"]
    for name in wanted:
        ensure_known(name, known, f"{guider_class.__name__} has no option {name!r}")
