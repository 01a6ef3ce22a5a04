"""The request to a Space, checked against the Space's API before any quota is spent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spacediff.errors import SpaceApiMismatch, nearest_name

UPLOADS = frozenset({"Image", "Video", "Audio", "File", "Gallery", "ImageEditor"})
"""Components that may be left empty: the Space's page then sends null, and so does spacediff."""


@dataclass(frozen=True)
class SpaceRequest:
    """A request for a clip.

    Attributes:
        id: `ORG/NAME` on the Hub, or the http(s) address of any Gradio app, which never receives a token.
        endpoint: API name, such as `/generate`.
        inputs: Parameter name to value. `{prompt}` and `{seed}` are replaced wherever a text contains them; a text that
            is only `{seed}` becomes the integer.
        outputs: `video`, and optionally `seed`, to the index of the endpoint's output, from 0.
        deadline: Seconds until the clip must be here, queue time included.
    """

    id: str
    endpoint: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, int]
    deadline: float = 1800.0

    def __post_init__(self) -> None:
        if "video" not in self.outputs:
            raise ValueError("the outputs of a Space must say which one is the video")


@dataclass(frozen=True)
class Api:
    """An endpoint as the Space declares it: its parameters by name, in order, and its outputs as text."""

    inputs: Mapping[str, Mapping[str, Any]]
    outputs_listed: str


def checked_api(client: Any, request: SpaceRequest) -> Api:
    """Check a request against the endpoint that the Space declares.

    Raises:
        SpaceApiMismatch: The Space does not have the endpoint, an input or an output of the request.
    """
    endpoints = client.view_api(print_info=False, return_format="dict")["named_endpoints"]
    space, endpoint = f"Space {request.id}", request.endpoint
    if endpoint not in endpoints:
        raise SpaceApiMismatch(
            f"{space} has no endpoint {endpoint}{_did_you_mean(endpoint, endpoints)}",
            hint=f"its endpoints are {', '.join(endpoints) or 'all unnamed'}",
        )
    inputs = {str(each.get("parameter_name") or each["label"]): each for each in endpoints[endpoint]["parameters"]}
    required = [
        name
        for name, each in inputs.items()
        if not each.get("parameter_has_default") and each.get("component") not in UPLOADS
    ]
    listed = ", ".join(f"{name} (required)" if name in required else name for name in inputs)
    for name in request.inputs:
        if name not in inputs:
            raise SpaceApiMismatch(
                f"{space} has no parameter {name!r} at {endpoint}{_did_you_mean(name, inputs)}",
                hint=f"{endpoint} takes {listed or 'none'}",
            )
    if missing := [name for name in required if name not in request.inputs]:
        raise SpaceApiMismatch(
            f"{space} needs {', '.join(missing)} at {endpoint}", hint=f"{endpoint} takes {listed or 'none'}"
        )
    returns = endpoints[endpoint]["returns"]
    outputs = ", ".join(f"{index}: {each.get('component')} {each.get('label')!r}" for index, each in enumerate(returns))
    for role, index in request.outputs.items():
        if not 0 <= index < len(returns):
            raise SpaceApiMismatch(
                f"{space} has no output {index} at {endpoint}, which outputs.{role} names",
                hint=f"its outputs are {outputs or 'none'}",
            )
    return Api(inputs, outputs)


def _did_you_mean(name: str, known: Mapping[str, Any]) -> str:
    nearest = nearest_name(name, known)
    return f" (did you mean {nearest!r}?)" if nearest else ""


def filled(value: Any, prompt_text: str, seed: int) -> Any:
    """Replace the placeholders of an input by the prompt and the seed."""
    if value == "{seed}":
        return seed
    if isinstance(value, str):  # in one pass, so that a prompt that contains "{seed}" is not changed
        return re.sub(r"\{(prompt|seed)\}", lambda match: prompt_text if match[1] == "prompt" else str(seed), value)
    if isinstance(value, Mapping):
        return {key: filled(item, prompt_text, seed) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [filled(item, prompt_text, seed) for item in value]
    return value


def sends_seed(request: SpaceRequest) -> bool:
    """Whether any input contains the seed."""
    return "{seed}" in repr(request.inputs)
