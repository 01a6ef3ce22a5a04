"""How the Space is asked for its clip: the scenario's table [reference.space], as the Space's source says it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tomlkit

from spacediff.scenario.writing import comment, commented, toml_value, written_key
from spacediff.settings import is_plain
from spacediff.why.round_trip import Refused, reason_at

if TYPE_CHECKING:
    from tomlkit.items import Table

    from spacediff.reading import Reading
    from spacediff.reading.model import Endpoint

PLACEHOLDER = "ORG/NAME"
"""Stands for a repository that is to be filled in."""

_API_NAME = re.compile(r"[^\s?#]+")
_TEXTS = frozenset({"Textbox", "TextArea", "Text", "text", "textbox"})
_NUMBERS = frozenset({"Number", "Slider", "number", "slider"})
_RESULTS = {
    "video": frozenset({"video", "playablevideo"}),
    "image": frozenset({"image"}),
    "gallery": frozenset({"gallery"}),
}
"""What a result with the clip is called in a scenario, and the components that show it; the first one counts."""
_FILES = frozenset({"image", "imageeditor", "video", "file", "audio", "uploadbutton"})

_FIRST_NAMED = 4
"""Gradio before it gave no name to an event without `api_name`."""
_FIRST_NAMED_BY_FUNCTION = 6
"""Gradio before it called the endpoint of `gr.Interface` predict."""


@dataclass(frozen=True)
class Request:
    """What is sent to a Space, and what a person has to know about it.

    Attributes:
        endpoint: The name of the endpoint in the API.
        where: File and line that set it up.
        inputs: What is sent, by parameter.
        outputs: The places of clip and seed among the results.
        remarks: What a person has to know, one sentence each.
    """

    endpoint: str
    where: str
    inputs: dict[str, Any]
    outputs: dict[str, int]
    remarks: list[str]


def space_table(space: Reading, space_id: str, refused: Refused, files: Collection[str] = ()) -> Table:
    """Return the table that asks the Space.

    Args:
        space: What was read of the Space.
        space_id: The Space.
        refused: What a scenario is known to refuse.
        files: The names of the prompt's inputs.
    """
    table = tomlkit.table()
    table.append("id", space_id)
    request = _request(space, refused, files)
    if request is None:
        table.add(comment('to be checked: the Space\'s page shows the name and the inputs under "Use via API"'))
        table.append("endpoint", "/generate")
        given = {name: f"{{file:{name}}}" for name in files}
        table.append("inputs", toml_value({"prompt": "{prompt}", "seed_value": "{seed}", **given}))
        return table
    for remark in request.remarks:
        table.add(comment(remark))
    table.append("endpoint", commented(tomlkit.item(request.endpoint), f"set up at {request.where}"))
    table.append("inputs", toml_value(request.inputs))
    table.append("outputs", toml_value(request.outputs))
    return table


def space_request(space: Reading) -> Request | None:
    """Return how a Space is asked, as its source says it; None where that does not say enough."""
    return _request(space, {}, ())


def _request(space: Reading, refused: Refused, files: Collection[str]) -> Request | None:
    """Read the request from the Space's source; None where that does not say enough."""
    endpoint = space.endpoint
    if endpoint is None or not endpoint.prompt or reason_at("reference.space.endpoint", refused):
        return None
    name = _api_name(endpoint, space.facts.get("sdk version", ""))
    outputs = _outputs(endpoint)
    if not _API_NAME.fullmatch(name) or not outputs.keys() & _RESULTS.keys():
        return None
    inputs, remarks = _inputs(endpoint, _files_of(space, endpoint, files))
    unusable = [each for each in inputs if reason_at(f"reference.space.inputs.{each}", refused)]
    return Request(
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
    """Return the places of the clip and the seed among the results, each where exactly one can be meant."""
    shown = {
        name: [place for place, one in enumerate(endpoint.outputs) if one.kind.lower() in kinds]
        for name, kinds in _RESULTS.items()
    }
    clip = next(((name, places) for name, places in shown.items() if places), ("video", []))
    seeds = [
        place
        for place, (one, name) in enumerate(zip(endpoint.outputs, endpoint.results, strict=True))
        if "seed" in (one.label or name).lower() and one.kind in _TEXTS | _NUMBERS
    ]
    return {name: found[0] for name, found in (clip, ("seed", seeds)) if len(found) == 1}


def _files_of(space: Reading, endpoint: Endpoint, files: Collection[str]) -> dict[str, str]:
    """Return which input of the prompt each parameter for a file gets: the one that reaches the same argument.

    A Space that prepares a picture before the call hides where it goes; one picture for one parameter is clear anyway.
    """
    takes_file = {name: one for name, one in endpoint.inputs.items() if one.kind.lower() in _FILES}
    arguments = {asked.where: path.removeprefix("call.") for path, asked in space.inputs.items()}
    found = {name: arguments[one.where] for name, one in takes_file.items() if arguments.get(one.where) in files}
    if not found and len(takes_file) == len(files) == 1:
        return dict(zip(takes_file, files, strict=True))
    return found


def _inputs(endpoint: Endpoint, files: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Return what is sent, by parameter: prompt and seed in their places, the others as the page sends them."""
    inputs: dict[str, Any] = {}
    remarks = []
    for name, one in endpoint.inputs.items():
        is_random = one.default is True and "random" in f"{name} {one.label}".lower()
        if name in files:
            inputs[name] = f"{{file:{files[name]}}}"
        elif name == endpoint.prompt:
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
            given = (
                f'add {written_key(name)} = "{{file:image}}" to the inputs, and image = FILE to [prompts.main.inputs]'
            )
            remarks.append(f"open: {name} takes a file of the user ({one.kind}): {given}")
    if not endpoint.seed:
        remarks.append("to be checked: no input was found that takes the seed")
    return inputs, remarks
