"""The request to a Space, checked against the Space's API before any quota is spent."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spacediff.errors import SpaceApiMismatch, SpaceOutputUnusable, nearest_name
from spacediff.inputs.placeholders import named_in
from spacediff.scenario.tables.reference import RESULTS
from spacediff.sources.space.echoes import Shown
from spacediff.sources.space.uploads import UPLOADS, component_of, refuse_other_kinds
from spacediff.watch.probe import ENDPOINT

_OF_SCHEMA = ("label", "component", "type", "parameter_has_default")
"""What of a parameter or an output is hashed; a default may be drawn at each start, and is among the settings."""
NOUNS = {"video": "a video", "image": "an image", "gallery": "a gallery of images", "file": "a file"}
"""What the output with the clip is, by what it is called."""
_NO_FILE = {"number": "a number", "slider": "a number", "checkbox": "a checkbox"}
"""Components, in small letters, whose values are never a file, and what they give; a text may be the path of one."""


@dataclass(frozen=True)
class SpaceRequest:
    """A request for a clip.

    Attributes:
        id: `ORG/NAME` on the Hub, or the http(s) address of any Gradio app, which never receives a token.
        endpoint: API name, such as `/generate`.
        inputs: Parameter name to value. `{prompt}` and `{seed}` are replaced wherever a text contains them; a text that
            is only `{seed}` becomes the integer, one that is only `{file:NAME}` an input of the prompt.
        outputs: One of video, image, gallery and file, and optionally `seed`, to the index of the endpoint's output,
            from 0; `index` is the number of the wanted file in a gallery.
        deadline: Seconds until the clip must be here, queue time included.
    """

    id: str
    endpoint: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, int]
    deadline: float = 1800.0

    def __post_init__(self) -> None:
        if len(self.outputs.keys() & set(RESULTS)) != 1:
            raise ValueError(f"the outputs of a Space must name exactly one of {', '.join(RESULTS)}")

    @property
    def result(self) -> tuple[str, int]:
        """What the output with the clip is called, and its index."""
        return next((role, self.outputs[role]) for role in RESULTS if role in self.outputs)

    def value_of(self, name: str, declared: Mapping[str, Any]) -> Any:
        """Return the value that an input has in a call: what is sent, or else its default, which may be None.

        Args:
            name: Its name.
            declared: What the Space says of it.
        """
        return self.inputs.get(name, declared.get("parameter_default"))


@dataclass(frozen=True)
class Api:
    """An endpoint as the Space declares it.

    Attributes:
        inputs: Parameters by name, in order.
        outputs_listed: The outputs as text.
        probed: Whether the Space has a probe.
        outputs: The outputs, in order.
        schema: SHA-256 of what the endpoint takes and returns; empty if that is unknown.
    """

    inputs: Mapping[str, Mapping[str, Any]]
    outputs_listed: str
    probed: bool = False
    outputs: tuple[Shown, ...] = ()
    schema: str = ""


def checked_api(client: Any, request: SpaceRequest) -> Api:
    """Check a request against the endpoint that the Space declares.

    Raises:
        SpaceApiMismatch: The Space does not have the endpoint, an input or an output of the request.
        SpaceOutputUnusable: The output that should have the clip holds no file.
    """
    endpoints = _declared(client)
    space, endpoint = f"Space {request.id}", request.endpoint
    if endpoint not in endpoints:
        raise SpaceApiMismatch(
            f"{space} has no endpoint {endpoint}{_did_you_mean(endpoint, endpoints)}",
            hint=f"its endpoints are {', '.join(endpoints) or 'all unnamed'}",
        )
    api = _api_of(endpoint, endpoints)
    inputs = api.inputs
    required = [
        name
        for name, each in inputs.items()
        if not each.get("parameter_has_default") and component_of(each) not in UPLOADS
    ]
    listed = ", ".join(f"{name} (required)" if name in required else name for name in inputs)
    for name, value in request.inputs.items():
        if name not in inputs:
            raise SpaceApiMismatch(
                f"{space} has no parameter {name!r} at {endpoint}{_did_you_mean(name, inputs)}",
                hint=f"{endpoint} takes {listed or 'none'}",
            )
        refuse_other_kinds(space, endpoint, name, value, inputs[name])
    if missing := [name for name in required if name not in request.inputs]:
        raise SpaceApiMismatch(
            f"{space} needs {', '.join(missing)} at {endpoint}", hint=f"{endpoint} takes {listed or 'none'}"
        )
    _refuse_other_outputs(request, api, space)
    return api


def _refuse_other_outputs(request: SpaceRequest, api: Api, space: str) -> None:
    """Refuse outputs that there are not, and a clip in one that holds no file, before the call costs anything."""
    endpoint = request.endpoint
    listed = f"its outputs are {api.outputs_listed or 'none'}"
    for role, index in request.outputs.items():
        if role != "index" and not 0 <= index < len(api.outputs):
            raise SpaceApiMismatch(
                f"{space} has no output {index} at {endpoint}, which outputs.{role} names", hint=listed
            )
    role, index = request.result
    if what := _NO_FILE.get(api.outputs[index].component):
        raise SpaceOutputUnusable(f"output {index} of the Space is not {NOUNS[role]} but {what}", hint=listed)


def declared_apis(client: Any) -> dict[str, Api]:
    """Return every endpoint that has a name, as the Space declares it, by its name."""
    endpoints = _declared(client)
    return {name: _api_of(name, endpoints) for name in endpoints}


def _declared(client: Any) -> dict[str, Any]:
    return dict(client.view_api(print_info=False, return_format="dict")["named_endpoints"])


def _api_of(endpoint: str, endpoints: Mapping[str, Any]) -> Api:
    taken, returns = endpoints[endpoint]["parameters"], endpoints[endpoint]["returns"]
    inputs = {str(each.get("parameter_name") or each["label"]): each for each in taken}
    outputs = ", ".join(f"{index}: {each.get('component')} {each.get('label')!r}" for index, each in enumerate(returns))
    return Api(
        inputs,
        outputs,
        probed=f"/{ENDPOINT}" in endpoints,
        outputs=tuple(Shown(str(each.get("label")), component_of(each)) for each in returns),
        schema=_schema(inputs, returns),
    )


def _schema(inputs: Mapping[str, Mapping[str, Any]], returns: Sequence[Mapping[str, Any]]) -> str:
    """Return the SHA-256 of what an endpoint takes and returns: names, components and types, in order."""
    taken = [[name, *(each.get(key) for key in _OF_SCHEMA)] for name, each in inputs.items()]
    given = [[each.get(key) for key in _OF_SCHEMA] for each in returns]
    text = json.dumps([taken, given], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _did_you_mean(name: str, known: Mapping[str, Any]) -> str:
    nearest = nearest_name(name, known) or _of_shared_words(name, known)
    return f" (did you mean {nearest!r}?)" if nearest else ""


def _of_shared_words(name: str, known: Iterable[str]) -> str:
    """Return the only known name that has all words of another one, or only words of it, as `seed` and `seed_value`."""
    words = _words(name)
    found = [each for each in known if (own := _words(each)) and (own <= words or own >= words)]
    return found[0] if len(found) == 1 and words else ""


def _words(name: str) -> set[str]:
    return {word for word in re.split(r"[\W_]+", name.lower()) if word}


def filled(value: Any, prompt_text: str, seed: int, files: Mapping[str, Any] | None = None) -> Any:
    """Replace the placeholders of an input by the prompt, the seed and what stands for the prompt's files."""
    if value == "{seed}":
        return seed
    if isinstance(value, str) and files and (name := named_in(value)) in files:
        return files[name]
    if isinstance(value, str):  # in one pass, so that a prompt that contains "{seed}" is not changed
        return re.sub(r"\{(prompt|seed)\}", lambda match: prompt_text if match[1] == "prompt" else str(seed), value)
    if isinstance(value, Mapping):
        return {key: filled(item, prompt_text, seed, files) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [filled(item, prompt_text, seed, files) for item in value]
    return value


def sends_seed(request: SpaceRequest) -> bool:
    """Whether any input contains the seed."""
    return "{seed}" in repr(request.inputs)
