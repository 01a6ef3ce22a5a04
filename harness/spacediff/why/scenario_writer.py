"""The scenario that measures what two sources set differently, as TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from spacediff.hub.ids import is_repository_id
from spacediff.reading import Reading
from spacediff.reading.model import Endpoint
from spacediff.scenario.tables import SettingsTables
from spacediff.settings import Origin, Setting, Settings, is_plain
from spacediff.why.differences import UNSAID, Comparison, matters
from spacediff.why.round_trip import Refused, loadable, misfits, reason_at

_UNREAD = [
    '# to be checked: the name and the inputs stand on the Space\'s page, under "Use via API"',
    'endpoint = "/generate"',
    'inputs = { prompt = "{prompt}", seed_value = "{seed}" }',
]
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_API_NAME = re.compile(r"[^\s?#]+")
_TEXTS = frozenset({"Textbox", "TextArea", "Text", "text", "textbox"})
_NUMBERS = frozenset({"Number", "Slider", "number", "slider"})


_PLACEHOLDER = "ORG/NAME"


def scenario_text(comparison: Comparison, script: Reading, space: Reading, space_id: str) -> str:
    """Return the scenario that measures the differences, as TOML; what it cannot say stands in comments.

    Args:
        comparison: What differs.
        script: What was read of the script: the baseline.
        space: What was read of the Space: its endpoint, and what differs there.
        space_id: The Space; any other text stands for one that is to be filled in.
    """
    changes = {row.path: row.right for row in comparison.differences}

    def write(refused: Refused) -> str:
        lines = [
            *_beginning(_titled("The script", space_id), script.settings, script.settings, refused),
            *_reference(space, space_id, refused),
            "[variants.as-hosted]           # what was read of the Space, where it differs",
            *_assignments(changes, "variants.as-hosted", refused),
            "",
            "[explain]",
            'from = "baseline"',
            'to = "as-hosted"',
            "",
            "[gate]",
            'variant = "as-hosted"',
        ]
        left_open = [*comparison.questions, *_left_open(comparison, script.settings, refused)]
        return "\n".join([*lines, *(f"# open: {_comment(each)}" for each in left_open)]) + "\n"

    return loadable(write, misfits(script.settings, changes, "as-hosted"))


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
    baseline = script.settings.changed_by(mended)

    def write(refused: Refused) -> str:
        beginning = _beginning(_titled("The corrected script", space_id), script.settings, baseline, refused)
        reference = _reference(space, space_id, refused)
        return "\n".join([*beginning, *reference, "[gate]", 'variant = "baseline"']) + "\n"

    return loadable(write, misfits(baseline, {}, ""))


def _titled(what: str, space_id: str) -> str:
    return f"{what} against {space_id if is_repository_id(space_id) else 'the Space'}"[:_LONGEST_TITLE]


def _beginning(title: str, script: Settings, baseline: Settings, refused: Refused) -> list[str]:
    """Return the lines up to how the Space is asked: the prompt and the baseline."""
    prompt, seed = script.value("call.prompt"), script.value("rng.seed")
    text = prompt if isinstance(prompt, str) and prompt.strip() and is_plain(prompt) else ""
    if not text or reason_at("prompts.main.text", refused):
        text = "write the prompt here"
    is_seed = type(seed) is int and 0 <= seed < _FIRST_TOO_LARGE
    lines = _assignments(baseline, "baseline", refused)
    if not any(line.startswith("model.id = ") for line in lines):
        lines.append(f"model.id = {_toml(_PLACEHOLDER)}          # to be filled in: the checkpoint could not be read")
    return [
        f"title = {_toml(title)}",
        "",
        "[prompts.main]",
        f"text = {_toml(text)}",
        f"seed = {seed}" if is_seed else f"seed = 42{_CHOSEN}",
        "",
        "[baseline]                     # what was read of the script",
        *lines,
        "",
    ]


def _reference(space: Reading, space_id: str, refused: Refused) -> list[str]:
    """Return how the Space is asked, under its own name or one that is to be filled in."""
    named = f"id = {_toml(space_id)}"
    unnamed = f"id = {_toml(_PLACEHOLDER)}          # to be filled in: the Space whose source was read"
    return ["[reference.space]", named if is_repository_id(space_id) else unnamed, *_request(space, refused), ""]


_CHOSEN = "          # to be chosen: the script says none that a scenario can hold"
_LONGEST_TITLE = 500
_FIRST_TOO_LARGE = 2**63


def _left_open(comparison: Comparison, baseline: Settings, refused: Refused) -> list[str]:
    """Say what the scenario leaves out: differences that it cannot make, and what the script sets beside them."""
    found: dict[str, str] = {}
    for row in comparison.differences:
        why = _unwritten(row.path, row.right, "variants.as-hosted", refused)
        if row.right is UNSAID:  # nothing to take back where the baseline cannot say it either
            why = _unwritten(row.path, row.left, "baseline", refused) or why
        if why:
            found[row.path] = f"{_side(row.right)} in the Space, {_side(row.left)} in the script; {why}"
    for path, setting in baseline.items():
        why = _unwritten(path, setting, "baseline", refused)
        if why and matters(path) and setting.origin is not Origin.UNKNOWN and path not in found:
            found[path] = f"{_side(setting)} in the script; {why}"
    return [f"{path}: {words}" for path, words in found.items()]


def _side(setting: Setting) -> str:
    return UNSAID.value if setting is UNSAID else f"{setting.value!r} ({setting.where})"


def _unwritten(path: str, setting: Setting, owner: str, refused: Refused) -> str:
    """Return why a value does not stand in the scenario; empty where it does."""
    if path.split(".", 1)[0] not in _DECLARABLE:
        return "a scenario has no such setting"
    if setting is UNSAID or setting.value is None:
        return "a variant cannot take it back"
    return reason_at(f"{owner}.{path}", refused) or ("" if is_plain(setting.value) else "a scenario cannot say it")


def _request(space: Reading, refused: Refused) -> list[str]:
    """Return how the Space is asked, as its source says it; what is to be checked where the source does not."""
    endpoint = space.endpoint
    if endpoint is None:
        return _UNREAD
    name = _api_name(endpoint, space.facts.get("sdk version", ""))
    videos = [place for place, one in enumerate(endpoint.outputs) if one.kind.lower() in {"video", "playablevideo"}]
    if not _API_NAME.fullmatch(name) or not endpoint.prompt or len(videos) != 1:
        return _UNREAD
    if reason_at("reference.space.endpoint", refused):
        return _UNREAD
    outputs = {"video": videos[0]}
    seeds = [
        place
        for place, (one, name) in enumerate(zip(endpoint.outputs, endpoint.results, strict=True))
        if "seed" in (one.label or name).lower() and one.kind in _TEXTS | _NUMBERS
    ]
    if len(seeds) == 1:
        outputs["seed"] = seeds[0]
    inputs, remarks = _inputs(endpoint)
    for name_of in [each for each in inputs if reason_at(f"reference.space.inputs.{each}", refused)]:
        del inputs[name_of]
        remarks.append(f"to be checked: the page's own value of {_comment(name_of)} cannot stand in a scenario")
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
        elif one.kind.lower() in _FILES:
            remarks.append(
                f"open: {_comment(name)} takes a file of the user ({_comment(one.kind)}){_how(name, one.kind)}"
            )
    if not endpoint.seed:
        remarks.append("to be checked: no input was found that takes the seed")
    return inputs, remarks


_FILES = frozenset({"image", "imageeditor", "video", "file", "audio", "uploadbutton"})


def _how(name: str, kind: str) -> str:
    """Say how a file is put among the inputs; a video's form depends on the version of Gradio."""
    if kind.lower() != "image":
        return ': give it in the form that the Space\'s page shows under "Use via API"'
    given = '{ path = "FILE", meta = { _type = "gradio.FileData" } }'
    return f": add {_comment(name)} = {given} to the inputs"


def _table(values: Mapping[str, Any]) -> str:
    return "{ " + ", ".join(f"{_key(name)} = {_toml(value)}" for name, value in values.items()) + " }"


def _key(name: str) -> str:
    """Return a key, quoted where TOML asks for it."""
    return name if _BARE.fullmatch(name) else _toml(name)


def _dotted(path: str) -> str:
    table, dot, key = path.partition(".")
    return f"{_key(table)}.{_key(key)}" if dot else _key(table)


_DECLARABLE = frozenset(SettingsTables.model_fields)


def _assignments(settings: Mapping[str, Setting], owner: str, refused: Refused) -> list[str]:
    return [
        f"{_dotted(path)} = {_toml(setting.value)}"
        for path, setting in sorted(settings.items())
        if matters(path)
        and path != "call.prompt"
        and setting.origin is not Origin.UNKNOWN
        and not _unwritten(path, setting, owner, refused)
    ]


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    """Return a stranger's text as one line that a comment may hold."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
