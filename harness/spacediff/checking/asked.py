"""What a Space is asked: endpoint, inputs and outputs, from a scenario, the Space's source, or its description.

Nothing is guessed that could be misread: where several endpoints may be meant, the user has to say which.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spacediff.checking.result import Question
from spacediff.errors import SpaceApiMismatch, nearest_name
from spacediff.hub.space_errors import plain
from spacediff.reading.model import Reading
from spacediff.run import Prompt
from spacediff.scenario.tables.reference import RESULTS
from spacediff.settings import is_plain
from spacediff.sources.space import SpaceRequest
from spacediff.sources.space.messages import Declared
from spacediff.sources.space.own_seeds import draws_a_seed
from spacediff.sources.space.uploads import UPLOADS, component_of
from spacediff.why.space_request import space_request

_TEXTS = frozenset({"textbox", "textarea", "text"})
_NUMBERS = frozenset({"number", "slider"})
_CLIPS = {"video": "video", "playablevideo": "video", "gallery": "gallery", "image": "image"}
"""Components that show a clip, and what such a result is called in a scenario; the first one counts."""
_SETTINGS = {Question.GUIDANCE: "call.guidance_scale", Question.STEPS: "call.num_inference_steps"}
_NAMES = {Question.GUIDANCE: re.compile(r"guidance|\bcfg"), Question.STEPS: re.compile(r"(?<!time)steps?\b|_steps?\b")}
"""How an input is called whose effect is tried, where the source does not show it."""
_RANGE = re.compile(r"between (-?[\d.]+) and (-?[\d.]+)")
"""How Gradio describes what a slider takes."""


@dataclass(frozen=True)
class Knob:
    """An input whose effect is tried.

    Attributes:
        question: The question that it answers.
        name: Its name.
        before: The value that the first call sends.
        value: Another one.
    """

    question: Question
    name: str
    before: float
    value: float


@dataclass(frozen=True)
class Asked:
    """What a Space is asked in the first call, and what may be changed in the others.

    Attributes:
        request: The request.
        prompt: The prompt and its seed.
        api: The endpoint as the Space declares it.
        knobs: The inputs whose effect is tried.
    """

    request: SpaceRequest
    prompt: Prompt
    api: Declared
    knobs: tuple[Knob, ...]


def request_to(space: str, endpoints: Mapping[str, Declared], reading: Reading | None, endpoint: str) -> SpaceRequest:
    """Return a request to a Space: as its source says it, otherwise as its description lets guess.

    Args:
        space: Its id or address.
        endpoints: Its endpoints.
        reading: What was read of its source; None if it was not read.
        endpoint: The endpoint that is asked; empty for the only one that takes a prompt and gives a clip.

    Raises:
        SpaceApiMismatch: There is no such endpoint, or there are several, or one needs inputs that are unknown.
    """
    read = space_request(reading) if reading is not None else None
    if read and endpoint in {"", read.endpoint} and _fits(read.inputs, read.endpoint, endpoints):
        return SpaceRequest(space, read.endpoint, read.inputs, read.outputs)
    name = endpoint or _only_one(space, endpoints)
    if name not in endpoints:
        near = nearest_name(name, endpoints)
        raise SpaceApiMismatch(
            f"Space {plain(space)} has no endpoint {plain(name)}" + (f" (did you mean {near!r}?)" if near else ""),
            hint=f"its endpoints are {_listed(endpoints)}",
        )
    api = endpoints[name]
    result = _result(api)
    if result is None or _prompt_of(api) is None:
        raise SpaceApiMismatch(
            f"the endpoint {plain(name)} of Space {plain(space)} takes no prompt or gives no clip",
            hint="describe the request in a scenario, [reference.space]",
        )
    return SpaceRequest(space, name, _inputs(space, name, api), dict([result]))


def _fits(inputs: Mapping[str, Any], endpoint: str, endpoints: Mapping[str, Declared]) -> bool:
    """Whether a request that was read of a source fits what the running Space declares."""
    return endpoint in endpoints and inputs.keys() <= endpoints[endpoint].inputs.keys()


def _only_one(space: str, endpoints: Mapping[str, Declared]) -> str:
    able = [name for name, api in endpoints.items() if _result(api) and _prompt_of(api)]
    seeded = [name for name in able if _seed_of(endpoints[name])]
    found = seeded if len(able) > 1 and seeded else able
    if len(found) == 1:
        return found[0]
    which = f"several endpoints: {_listed(found)}" if found else "no endpoint"
    raise SpaceApiMismatch(
        f"Space {plain(space)} has {which} that takes a prompt and gives a clip",
        hint="name the endpoint, or describe the request in a scenario, [reference.space]"
        + ("" if found else f"; its endpoints are {_listed(endpoints)}"),
    )


def _listed(names: Mapping[str, Any] | list[str]) -> str:
    return plain(", ".join(names) or "all unnamed")


def _words(name: str, declared: Mapping[str, Any]) -> str:
    return f"{name} {declared.get('label', '')}".lower()


def _prompt_of(api: Declared) -> str | None:
    texts = [name for name, each in api.inputs.items() if component_of(each) in _TEXTS]
    meant = [name for name in texts if "prompt" in _words(name, api.inputs[name])]
    positive = [name for name in meant if "negative" not in _words(name, api.inputs[name])]
    exact = [name for name in positive if name == "prompt"]
    return next(iter(exact or positive or (texts if len(texts) == 1 else [])), None)


def _seed_of(api: Declared) -> str | None:
    found = [
        name
        for name, each in api.inputs.items()
        if "seed" in _words(name, each) and component_of(each) in _NUMBERS | _TEXTS
    ]
    return next(iter([name for name in found if name == "seed"] or found), None)


def _result(api: Declared) -> tuple[str, int] | None:
    shown = [(_CLIPS[component], at) for at, (_, component) in enumerate(api.outputs) if component in _CLIPS]
    return min(shown, key=lambda each: RESULTS.index(each[0]), default=None)


def _inputs(space: str, endpoint: str, api: Declared) -> dict[str, Any]:
    """Return what is sent: prompt and seed, randomising switches off, and empty texts; the rest as the Space has it.

    Inputs for files are left empty, as the Space's page leaves them.
    """
    inputs: dict[str, Any] = {}
    prompt, seed = _prompt_of(api), _seed_of(api)
    for name, each in api.inputs.items():
        if name in {prompt, seed}:
            inputs[name] = "{prompt}" if name == prompt else "{seed}"
        elif each.get("parameter_default") is True and seed and draws_a_seed(name, each):
            inputs[name] = False
        elif not each.get("parameter_has_default") and component_of(each) in _TEXTS:
            inputs[name] = ""
        elif not each.get("parameter_has_default") and component_of(each) not in UPLOADS:
            raise SpaceApiMismatch(
                f"the endpoint {plain(endpoint)} of Space {plain(space)} needs {plain(name)}, which has no default",
                hint="describe the request in a scenario, [reference.space]",
            )
    return inputs


def knobs_of(request: SpaceRequest, api: Declared, reading: Reading | None) -> tuple[Knob, ...]:
    """Return the inputs whose effect is tried: guidance, then steps; a value that is changed stays in its range."""
    return tuple(_knobs(request, api, reading))


def _knobs(request: SpaceRequest, api: Declared, reading: Reading | None) -> Iterator[Knob]:
    for question, path in _SETTINGS.items():
        read = _fed_by(path, reading)
        named = [name for name, each in api.inputs.items() if _NAMES[question].search(_words(name, each))]
        for name in [read] if read in api.inputs else named[:1]:
            declared = api.inputs[name]
            before = request.value_of(name, declared)
            other = _other_value(question, before, _range_of(declared))
            if other is not None:
                yield Knob(question, name, before, other)


def _fed_by(path: str, reading: Reading | None) -> str:
    """Return the parameter that a setting comes from, as the source shows it; empty if it does not."""
    if reading is None or reading.endpoint is None or path not in reading.inputs:
        return ""
    return next((name for name, one in reading.endpoint.inputs.items() if one == reading.inputs[path]), "")


def _range_of(declared: Mapping[str, Any]) -> tuple[float, float]:
    kind = declared.get("type")
    found = _RANGE.search(str(kind.get("description", ""))) if isinstance(kind, Mapping) else None
    try:
        return (float(found[1]), float(found[2])) if found else (-math.inf, math.inf)
    except ValueError:
        return -math.inf, math.inf


def _other_value(question: Question, before: Any, allowed: tuple[float, float]) -> float | None:
    """Return another value, which costs no more; None where there is none."""
    if type(before) not in {int, float} or not is_plain(before):
        return None
    if question is Question.STEPS:
        tried = [before // 2, before - 1, before + 1]
    else:
        tried = [before - 1, before + 1, before / 2]
    least, most = max(allowed[0], 1.0), allowed[1]
    fitting = [each for each in tried if least <= each <= most and each != before]
    return type(before)(fitting[0]) if fitting and type(before)(fitting[0]) != before else None
