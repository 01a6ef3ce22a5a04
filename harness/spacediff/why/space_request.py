"""How the Space is asked for its clip: the scenario's table [reference.space], as the Space's source says it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tomlkit

from spacediff.hub.ids import is_repository_id
from spacediff.scenario.writing import comment, commented, toml_value, written_key
from spacediff.settings import is_plain
from spacediff.why.round_trip import Refused, reason_at

if TYPE_CHECKING:
    from tomlkit.items import Table

    from spacediff.reading import Reading
    from spacediff.reading.model import Endpoint, Input

PLACEHOLDER = "ORG/NAME"
"""Stands for a repository that is to be filled in."""

_API_NAME = re.compile(r"[^\s?#]+")
_TEXTS = frozenset({"Textbox", "TextArea", "Text", "text", "textbox"})
_NUMBERS = frozenset({"Number", "Slider", "number", "slider"})
_VIDEOS = frozenset({"video", "playablevideo"})
_FILES = frozenset({"image", "imageeditor", "video", "file", "audio", "uploadbutton"})

_FIRST_NAMED = 4
"""Gradio before it gave no name to an event without `api_name`."""
_FIRST_NAMED_BY_FUNCTION = 6
"""Gradio before it called the endpoint of `gr.Interface` predict."""


@dataclass(frozen=True)
class _Request:
    """What is sent to a Space, and what a person has to know about it."""

    endpoint: str
    where: str
    inputs: dict[str, Any]
    outputs: dict[str, int]
    remarks: list[str]


def space_table(space: Reading, space_id: str, refused: Refused) -> Table:
    """Return the table that asks the Space, under its own name or one that is to be filled in."""
    table = tomlkit.table()
    if is_repository_id(space_id):
        table.append("id", space_id)
    else:
        unnamed = commented(tomlkit.item(PLACEHOLDER), "to be filled in: the Space whose source was read")
        table.append("id", unnamed)
    request = _request(space, refused)
    if request is None:
        table.add(comment('to be checked: the Space\'s page shows the name and the inputs under "Use via API"'))
        table.append("endpoint", "/generate")
        table.append("inputs", toml_value({"prompt": "{prompt}", "seed_value": "{seed}"}))
        return table
    for remark in request.remarks:
        table.add(comment(remark))
    table.append("endpoint", commented(tomlkit.item(request.endpoint), f"set up at {request.where}"))
    table.append("inputs", toml_value(request.inputs))
    table.append("outputs", toml_value(request.outputs))
    return table


def _request(space: Reading, refused: Refused) -> _Request | None:
    """Read the request from the Space's source; None where that does not say enough."""
    endpoint = space.endpoint
    if endpoint is None or not endpoint.prompt or reason_at("reference.space.endpoint", refused):
        return None
    name = _api_name(endpoint, space.facts.get("sdk version", ""))
    outputs = _outputs(endpoint)
    if not _API_NAME.fullmatch(name) or "video" not in outputs:
        return None
    inputs, remarks = _inputs(endpoint)
    unusable = [each for each in inputs if reason_at(f"reference.space.inputs.{each}", refused)]
    return _Request(
        endpoint=f"/{name}",
        where=endpoint.where,
        inputs={name: value for name, value in inputs.items() if name not in unusable},
        outputs=outputs,
        remarks=[
            *remarks,
            *(f"to be checked: a scenario cannot hold the page's own value of {each}" for each in unusable),
        ],
    )


def _api_name(endpoint: Endpoint, version: str) -> str:
    """Return an endpoint's name by the rules of the Gradio that the Space runs on; empty where it has none."""
    major = version.partition(".")[0]
    if major.isdecimal() and not endpoint.has_own_name and int(major) < _FIRST_NAMED:
        return ""
    if major.isdecimal() and int(major) < _FIRST_NAMED_BY_FUNCTION:
        return endpoint.former_name
    known = major.isdecimal() or endpoint.name == endpoint.former_name
    return endpoint.name if known else ""


def _outputs(endpoint: Endpoint) -> dict[str, int]:
    """Return the places of video and seed among the results, each where exactly one can be meant."""
    videos = [place for place, one in enumerate(endpoint.outputs) if one.kind.lower() in _VIDEOS]
    seeds = [
        place
        for place, (one, name) in enumerate(zip(endpoint.outputs, endpoint.results, strict=True))
        if "seed" in (one.label or name).lower() and one.kind in _TEXTS | _NUMBERS
    ]
    return {name: found[0] for name, found in (("video", videos), ("seed", seeds)) if len(found) == 1}


def _inputs(endpoint: Endpoint) -> tuple[dict[str, Any], list[str]]:
    """Return what is sent, by parameter: prompt and seed in their places, the others as the page sends them."""
    inputs: dict[str, Any] = {}
    remarks = []
    for name, one in endpoint.inputs.items():
        is_random = one.default is True and "random" in f"{name} {one.label}".lower()
        if name == endpoint.prompt:
            inputs[name] = "{prompt}"
        elif name == endpoint.seed:
            inputs[name] = "{seed}"
        elif is_random and endpoint.seed:
            inputs[name] = False
            remarks.append(f"{name} is on by default; switched off, so that the Space uses the given seed")
        elif one.default is None and one.kind in _TEXTS:
            inputs[name] = ""
        elif is_plain(one.default) and "{" not in str(one.default):
            inputs[name] = one.default
        elif one.kind.lower() in _FILES:
            remarks.append(f"open: {name} takes a file of the user ({one.kind}){_how_to_give(name, one)}")
    if not endpoint.seed:
        remarks.append("to be checked: no input was found that takes the seed")
    return inputs, remarks


def _how_to_give(name: str, one: Input) -> str:
    """Say how a file is put among the inputs; a video's form depends on the version of Gradio."""
    if one.kind.lower() != "image":
        return ': give it in the form that the Space\'s page shows under "Use via API"'
    given = toml_value({"path": "FILE", "meta": {"_type": "gradio.FileData"}}).as_string()
    return f": add {written_key(name)} = {given} to the inputs"
