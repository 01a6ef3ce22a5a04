"""Give a pipeline what its prompt holds: the text and the input pictures and videos, each under its argument."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spacediff.errors import InputUnusable, did_you_mean
from spacediff.hub.model_index import class_here_or_on_the_hub
from spacediff.inputs.decoding import decoded, warnings_about
from spacediff.inputs.files import Input, ensure_unchanged
from spacediff.inputs.preparing import Preparation, default_mode, preparation_of
from spacediff.scenario.paths import is_path
from spacediff.settings import Origin, Settings
from spacediff.torchvision_shim import shim_torchvision

_PICTURES = ("image", "video", "mask", "frames", "picture")
"""Words in the names of arguments that take pictures."""
_NEEDING = {
    "image": ("Img2Img", "Inpaint", "ImageToVideo", "ImageToImage", "InstructPix2Pix", "Depth2Img", "Upscale"),
    "mask_image": ("Inpaint",),
    "video": ("VideoToVideo",),
}
"""Arguments that a pipeline needs although they have a default, by words in the name of its class."""


@dataclass(frozen=True)
class Asked:
    """What a run asks of its pipeline besides the settings.

    Attributes:
        text: The prompt's text; empty for none.
        inputs: The input pictures and videos.
    """

    text: str
    inputs: tuple[Input, ...] = ()

    @property
    def identity(self) -> tuple[Any, ...]:
        """What of it determines the clip."""
        return self.text, *(each.identity for each in self.inputs)


def prompt_arguments(pipeline: Any, asked: Asked, declared: Settings) -> tuple[dict[str, Any], list[str]]:
    """Return the arguments of a pipeline's call that come from the prompt, and warnings about them.

    Raises:
        InputUnusable: The pipeline does not take an input, needs one that is not there, or it cannot be decoded.
    """
    name = type(pipeline).__name__
    parameters = inspect.signature(pipeline.__call__).parameters
    known = _blocks_take(pipeline) or list(parameters)  # a **kwargs of other pipelines swallows what it does not know
    inputs = {each.name: each for each in asked.inputs}
    _refuse_untaken(name, known, inputs)
    refuse_missing(name, parameters, inputs, declared)
    arguments: dict[str, Any] = {}
    warnings: list[str] = []
    if "prompt" in known:
        arguments["prompt"] = asked.text
    elif asked.text:
        warnings.append(f"{name} takes no prompt: the prompt's text was not given to it")
    for each in asked.inputs:
        ensure_unchanged(each)
        how = _preparation(each.name, declared)
        arguments[each.name] = decoded(each, how)
        warnings += warnings_about(each, how)
    return arguments, warnings


def _preparation(name: str, declared: Settings) -> Preparation:
    return preparation_of(name, declared.table("inputs").get(name, {}), declared.table("call"))


def input_defaults(inputs: Sequence[Input]) -> Settings:
    """Return how inputs are prepared where no setting says otherwise."""
    defaults = {each.name: {"mode": default_mode(each.name), "resize": "none"} for each in inputs}
    return Settings.of({"inputs": defaults} if defaults else {}, Origin.DEFAULT, "spacediff")


def _blocks_take(pipeline: Any) -> list[str]:
    """Return what the blocks of a modular pipeline take, whose `__call__` takes anything; nothing for others."""
    blocks = getattr(pipeline, "blocks", None)
    return [each.name for each in getattr(blocks, "inputs", ()) if each.name]


def _refuse_untaken(name: str, known: Sequence[str], inputs: Mapping[str, Input]) -> None:
    for each in inputs:
        if each not in known:
            takes = [parameter for parameter in known if _takes_pictures(parameter)]
            raise InputUnusable(
                f"{name}.__call__ takes no input {each!r}{did_you_mean(each, known)}",
                hint=f"it takes {', '.join(takes)}" if takes else "it takes no pictures or videos",
            )


def _takes_pictures(parameter: str) -> bool:
    return any(word in parameter for word in _PICTURES) and not parameter.startswith(("num_", "output_"))


def refuse_missing(name: str, known: Mapping[str, Any], given: Mapping[str, Any], declared: Settings) -> None:
    """Refuse a call without an input that its pipeline needs.

    Args:
        name: The pipeline's class.
        known: The parameters of its `__call__`.
        given: The inputs by name.
        declared: The Settings of the scenario.

    Raises:
        InputUnusable: One is missing.
    """
    there = {*given, *declared.table("call")}
    needed = [
        each.name
        for each in known.values()
        if each.default is inspect.Parameter.empty
        and each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        and _takes_pictures(each.name)
    ]
    needed += ["ip_adapter_image"] if declared.value("ip_adapter.id") else []
    needed += [each for each, words in _NEEDING.items() if each in known and any(word in name for word in words)]
    missing = [each for each in dict.fromkeys(needed) if each not in there]
    embedded = any(f"{each}_embeds" in there or f"{each}_latents" in there for each in missing)
    if missing and not embedded:
        raise InputUnusable(
            f"{name} needs the input {' and '.join(map(repr, missing))}, and the prompt has none",
            hint=f'give a file: [prompts.NAME.inputs] {missing[0]} = "picture.png"',
        )


def refuse_without_inputs(declared: Settings, inputs: Sequence[Input]) -> None:
    """Refuse a run without an input that its pipeline needs, before anything is loaded, if its class is known.

    Raises:
        InputUnusable: One is missing.
        UnsupportedSetting: A picture is to be resized, and no size is set.
    """
    for each in inputs:
        _preparation(each.name, declared)
    name = declared.value("model.pipeline") or _class_of(declared)
    parameters = _call_of(name)
    if parameters:
        refuse_missing(name, parameters, {each.name: each for each in inputs}, declared)


def _class_of(declared: Settings) -> str:
    model = str(declared.value("model.id") or "")
    if not model or (":" in model and not is_path(model)):
        return ""
    return class_here_or_on_the_hub(model, declared.value("model.revision"))


def _call_of(name: str) -> Mapping[str, Any]:
    """Return the parameters of a pipeline class's call; none if the installed diffusers has no such class."""
    if not name:
        return {}
    shim_torchvision()
    import diffusers

    found = getattr(diffusers, name, None)
    if not (isinstance(found, type) and issubclass(found, diffusers.DiffusionPipeline)):
        return {}
    return {key: each for key, each in inspect.signature(found.__call__).parameters.items() if key != "self"}
