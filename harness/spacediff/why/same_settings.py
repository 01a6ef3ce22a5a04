"""What two sources say in different words and is the same: a renamed repository, no LoRA, a default written out.

Each function returns settings in which such a difference is gone. A decoy that stays in the list of differences costs
a user an afternoon.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from spacediff.catalogue.pipelines import family_of
from spacediff.hub.ids import is_repository_id
from spacediff.hub.names import is_mirror, present_name
from spacediff.hub.scheduler_config import LookUp
from spacediff.reading.signatures import call_defaults
from spacediff.settings import Origin, Setting, Settings
from spacediff.why.adapter_names import adapters_in

_EMPTY_IS_NONE = frozenset({
    "CogVideoX", "Wan", "LTX2", "LTX", "Mochi", "SkyReelsV2", "AnimateDiff", "StableDiffusion3", "StableDiffusion",
    "AuraFlow", "Chroma",
})  # fmt: skip
"""Families that take an empty negative prompt where none is given. Others, such as SDXL, Flux and QwenImage, switch
guidance or a part of it off without one."""
_ONE_TEXT = frozenset({"call.prompt", "call.prompt_2", "call.negative_prompt", "call.negative_prompt_2"})
"""Arguments that are a text, or a list with a text for each clip."""
_WITHOUT_A_CALLBACK = frozenset({"call.callback_steps", "call.callback_on_step_end_tensor_inputs"})


def without_no_ops(settings: Settings, pipeline: str) -> Settings:
    """Return settings without those that do what happens without them.

    Args:
        settings: The settings of a source.
        pipeline: The class of diffusers that is called; empty if it is another package's.
    """
    defaults = call_defaults(pipeline)
    empty_is_none = family_of(pipeline) in _EMPTY_IS_NONE and "SDXL" not in pipeline
    dropped = {
        path for path, setting in settings.items() if _is_no_op(path, setting, defaults, empty_is_none=empty_is_none)
    }
    for name in adapters_in(settings, "lora"):
        place = settings.get(f"lora.{name}.id")
        if place is not None and place.origin is not Origin.UNKNOWN and not place.value:
            dropped |= {path for path in settings if path.startswith(f"lora.{name}.")}
    if "call.callback" not in settings:
        dropped |= _WITHOUT_A_CALLBACK & {*settings}
    dropped |= {path for path in settings if path.startswith("load.") and _is_the_pipelines_own(path, settings)}
    kept = {path: setting for path, setting in settings.items() if path not in dropped}
    for path in _ONE_TEXT & {*kept}:
        kept[path] = replace(kept[path], value=_without_list(kept[path].value))
    return Settings(kept)


def _without_list(value: Any) -> Any:
    """Return the only text of a list, which pipelines take as they take the text itself; any other value as it is."""
    return value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) else value


def _is_no_op(path: str, setting: Setting, defaults: Mapping[str, Any], *, empty_is_none: bool) -> bool:
    table, _, name = path.partition(".")
    if setting.origin is Origin.UNKNOWN:
        return False
    if table == "call" and setting.value is None:
        return defaults.get(name) is None
    if name in {"negative_prompt", "negative_prompt_2", "negative_prompt_3"}:
        return setting.value == "" and empty_is_none
    return path in {"model.variant", "model.revision"} and setting.value in {None, "main"}


def _is_the_pipelines_own(path: str, settings: Settings) -> bool:
    """Whether a part is loaded by itself as the pipeline would load it: same checkpoint, folder and dtype."""
    part, setting = path.removeprefix("load."), settings[path]
    value, model, dtype = setting.value, settings.get("model.id"), settings.get("model.dtype")
    if not isinstance(value, Mapping) or model is None or Origin.UNKNOWN in (setting.origin, model.origin):
        return False
    if value.keys() - {"class", "id", "subfolder", "dtype"} or value.get("subfolder", part) != part:
        return False
    same = present_name(str(value.get("id", model.value))) == present_name(str(model.value))
    return same and (dtype.value if dtype is not None else None) == value.get("dtype")


def under_one_name(left: Settings, right: Settings, here: LookUp, there: LookUp) -> tuple[Settings, list[str]]:
    """Return the left settings with the right side's names of the same repositories, and a note for each.

    Args:
        left: The settings of the script.
        right: The settings of the Space.
        here: Looks up a checkpoint of the script.
        there: Looks up a checkpoint of the Space.
    """
    same: dict[str, Setting] = {}
    notes = []
    for path in {*left} & {*right}:
        ours, theirs = left[path], right[path]
        if Origin.UNKNOWN in (ours.origin, theirs.origin) or ours.value == theirs.value:
            continue
        reason = _why_same(path, left, right, here, there)
        if reason:
            same[path] = theirs
            notes.append(f"{path}: {ours.value!r} ({ours.where}) and {theirs.value!r} ({theirs.where}) are {reason}")
    return left.changed_by(Settings(same)), sorted(notes)


def _why_same(path: str, left: Settings, right: Settings, here: LookUp, there: LookUp) -> str:
    """Return what makes two names one repository; empty if they are two."""
    ours, theirs = left[path].value, right[path].value
    if _renamed(path, ours) == _renamed(path, theirs):
        return "the same repository, which was moved"
    if not (path.endswith(".id") and isinstance(ours, str) and isinstance(theirs, str)):
        return ""
    if is_mirror(ours, theirs):
        return "one checkpoint: ModelScope has a copy of it under another owner"
    if path != "model.id":
        return ""
    one = here(ours, left.value("model.revision")).id
    return "the same repository, which was moved" if one == there(theirs, right.value("model.revision")).id else ""


def is_one_repository(one: str, other: object) -> bool:
    """Return whether two ids name one repository, as far as names tell."""
    if not isinstance(other, str):
        return False
    return _renamed(".id", one) == _renamed(".id", other) or is_mirror(one, other)


def _renamed(path: str, value: Any) -> Any:
    """Return a value with the present names of the repositories that it names, in lower case as the Hub finds them."""
    if isinstance(value, Mapping):
        return {key: _renamed(f"{path}.{key}", item) for key, item in value.items()}
    if not isinstance(value, str) or not path.endswith(".id"):
        return value
    return present_name(value).lower() if is_repository_id(value) else value
