"""The scenario that measures what two sources set differently, as TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from harness.completing import is_plain
from harness.reading import Reading
from harness.reading.model import Endpoint
from harness.scenario_tables import SettingsTables
from harness.settings import Origin, Setting, Settings
from harness.why import UNSAID, Comparison, matters

_UNREAD = [
    '# to be checked: the name and the inputs stand on the Space\'s page, under "Use via API"',
    'endpoint = "/generate"',
    'inputs = { prompt = "{prompt}", seed_value = "{seed}" }',
]
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_API_NAME = re.compile(r"[^\s?#]+")
_TEXTS = frozenset({"Textbox", "TextArea", "Text", "text", "textbox"})
_NUMBERS = frozenset({"Number", "Slider", "number", "slider"})


def scenario_text(comparison: Comparison, script: Reading, space: Reading, space_id: str) -> str:
    """Return the scenario that measures the differences, as TOML; what could not be read stands in comments.

    Args:
        comparison: What differs.
        script: What was read of the script: the baseline.
        space: What was read of the Space: its endpoint, and what differs there.
        space_id: The Space.
    """
    changes = {row.path: row.right for row in comparison.differences}
    lines = [
        *_beginning(f"The script against {space_id}", script, script.settings, space, space_id),
        "[variants.as-hosted]           # what was read of the Space, where it differs",
        *_assignments(changes),
        "",
        "[explain]",
        'from = "baseline"',
        'to = "as-hosted"',
        "",
        "[gate]",
        'variant = "as-hosted"',
    ]
    return "\n".join([*lines, *(f"# open: {_comment(question)}" for question in comparison.questions)]) + "\n"


def corrected_text(
    comparison: Comparison, script: Reading, space: Reading, space_id: str, cause: Collection[str]
) -> str:
    """Return the scenario whose baseline has the cause mended: its gate asks whether that reaches the Space.

    Args:
        comparison: What differs.
        script: What was read of the script.
        space: What was read of the Space.
        space_id: The Space.
        cause: The paths that were found guilty.
    """
    mended = Settings({row.path: row.right for row in comparison.differences if row.path in cause})
    title = f"The corrected script against {space_id}"
    beginning = _beginning(title, script, script.settings.changed_by(mended), space, space_id)
    return "\n".join([*beginning, "[gate]", 'variant = "baseline"']) + "\n"


def _beginning(title: str, script: Reading, baseline: Settings, space: Reading, space_id: str) -> list[str]:
    """Return the lines up to what is varied: the prompt, the baseline, and how the Space is asked."""
    prompt, seed = script.settings.value("call.prompt"), script.settings.value("rng.seed")
    if not isinstance(prompt, str) or not prompt.strip() or not is_plain(prompt):
        prompt = "write the prompt here"
    return [
        f"title = {_toml(title)}",
        "",
        "[prompts.main]",
        f"text = {_toml(prompt)}",
        f"seed = {seed if type(seed) is int and seed >= 0 else 42}",
        "",
        "[baseline]                     # what was read of the script",
        *_assignments(baseline),
        "",
        "[reference.space]",
        f"id = {_toml(space_id)}",
        *_request(space),
        "",
    ]


def _request(space: Reading) -> list[str]:
    """Return how the Space is asked, as its source says it; what is to be checked where the source does not."""
    endpoint = space.endpoint
    if endpoint is None:
        return _UNREAD
    name = _api_name(endpoint, space.facts.get("sdk version", ""))
    videos = [place for place, one in enumerate(endpoint.outputs) if one.kind.lower() in {"video", "playablevideo"}]
    if not _API_NAME.fullmatch(name) or not endpoint.prompt or len(videos) != 1:
        return _UNREAD
    outputs = {"video": videos[0]}
    seeds = [
        place
        for place, one in enumerate(endpoint.outputs)
        if "seed" in one.label.lower() and one.kind in _TEXTS | _NUMBERS
    ]
    if len(seeds) == 1:
        outputs["seed"] = seeds[0]
    inputs, remarks = _inputs(endpoint)
    return [
        *(f"# {remark}" for remark in remarks),
        f"endpoint = {_toml('/' + name)}         # wired at {_comment(endpoint.where)}",
        f"inputs = {_table(inputs)}",
        f"outputs = {_table(outputs)}",
    ]


def _api_name(endpoint: Endpoint, version: str) -> str:
    """Return an endpoint's name by the rules of the Gradio that the Space runs on; empty where it has none."""
    major = version.partition(".")[0]
    if major.isdecimal() and not endpoint.has_own_name and int(major) < _FIRST_NAMED:
        return ""
    if major.isdecimal() and int(major) < _FIRST_NAMED_BY_FUNCTION:
        return endpoint.former_name
    known = major.isdecimal() or endpoint.name == endpoint.former_name
    return endpoint.name if known else ""


_FIRST_NAMED = 4
"""Gradio before it gave no name to an event without `api_name`."""
_FIRST_NAMED_BY_FUNCTION = 6
"""Gradio before it called the endpoint of `gr.Interface` predict."""


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
            remarks.append(f"{name} is on by default; off, the seed is the one that is asked for")
        elif one.default is None and one.kind in _TEXTS:
            inputs[name] = ""
        elif is_plain(one.default) and "{" not in str(one.default):
            inputs[name] = one.default
    if not endpoint.seed:
        remarks.append("to be checked: no input was found that takes the seed")
    return inputs, remarks


def _table(values: Mapping[str, Any]) -> str:
    return "{ " + ", ".join(f"{_key(name)} = {_toml(value)}" for name, value in values.items()) + " }"


def _key(name: str) -> str:
    """Return a key, quoted where TOML asks for it."""
    return name if _BARE.fullmatch(name) else _toml(name)


def _dotted(path: str) -> str:
    table, dot, key = path.partition(".")
    return f"{_key(table)}.{_key(key)}" if dot else _key(table)


_DECLARABLE = frozenset(SettingsTables.model_fields)


def _assignments(settings: Mapping[str, Setting]) -> list[str]:
    return [
        f"{_dotted(path)} = {_toml(setting.value)}"
        for path, setting in sorted(settings.items())
        if path.split(".", 1)[0] in _DECLARABLE
        and matters(path)
        and path != "call.prompt"
        and setting.origin is not Origin.UNKNOWN
        and setting is not UNSAID
        and is_plain(setting.value)
    ]


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    """Return a stranger's text as one line that a comment may hold."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
