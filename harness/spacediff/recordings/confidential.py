"""What a recording must not tell: secrets among the arguments, and in a private one whatever the user has written.

The key insight: a prompt turns up in places that nobody lists, such as a library's warning that it was cut off. So a
private recording keeps what can hold no text of the user, instead of leaving out what does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from spacediff.hub.ids import is_repository_id
from spacediff.record import TraceRecord
from spacediff.recordings.model import RecordedCall, Recording
from spacediff.watch.machine import FACTS, LIBRARIES

PRIVATE = "the recording is private"
_SECRET = re.compile(
    r"token|secret|passw|credential|(?:api|access|private)[-_]?key|(?<![a-z])(?:auth|key)(?![a-z])", re.IGNORECASE
)
_REDACTED = "[redacted]"
_WORDS_OF_LIBRARIES = re.compile(
    r"^(scheduler|numerics|rng|placement|vae|packages|lora|guider|cache|ip_adapter|machine)\b|^model\.(pipeline|dtype|commit)$"
    r"|^components\.[^.]+\.(class|dtype|weights)$"
)
"""Paths whose texts are names of classes, devices, kernels and digests of weights."""
_NAME = re.compile(r"[\w-]+", re.ASCII)
_VALUE_OF_VARIABLE = re.compile(r"[:,.\d]+|\w{1,24}", re.ASCII)
"""A number, sizes as in `:4096:8`, or one plain word, as variables that choose kernels have."""
_PARTS_OF_AN_ARGUMENT = 2
"""Of its path; the further ones are keys of a table, which can be the user's words."""


def without_secrets(arguments: Sequence[str]) -> list[str]:
    """Return the arguments of a command line, without the values of options and `NAME=VALUE` that name a secret."""
    found: list[str] = []
    hide = False
    for each in arguments:
        name, equals, _ = each.partition("=")
        is_option = each.startswith("-")
        if hide and not is_option:
            found.append(_REDACTED)
        elif equals and _SECRET.search(name):
            found.append(f"{name}={_REDACTED}")
        else:
            found.append(each)
        hide = is_option and not equals and _SECRET.search(each) is not None
    return found


def privately(recording: Recording, *, keep_adapters: bool = False) -> Recording:
    """Return a recording without texts, pictures and names of the user; its clips are not kept either.

    Args:
        recording: The recording.
        keep_adapters: Whether adapters keep their names, as where a scenario names them; otherwise they are numbered.
    """
    named = recording.calls if keep_adapters else map(_with_numbered_adapters, recording.calls)
    calls = tuple(map(private_call, named))
    if keep_adapters:  # no recording that is handed on
        calls = tuple(call.model_copy(update={"withheld": ()}) for call in calls)
    return recording.model_copy(
        update={
            "script": "",
            "script_sha256": "",
            "arguments": (),
            "written": (),
            "private": True,
            "notes": tuple(dict.fromkeys(note.partition(":")[0] for note in recording.notes)),
            "calls": calls,
        }
    )


def _with_numbered_adapters(call: RecordedCall) -> RecordedCall:
    """Return a call with `lora.1` and so on in the order of the adapters' names."""
    names = sorted({path.split(".")[1] for path in call.settings if path.startswith("lora.")})
    numbers = {f"lora.{name}": f"lora.{number}" for number, name in enumerate(names, 1)}
    settings = {}
    for path, value in call.settings.items():
        head = ".".join(path.split(".")[:2])
        settings[numbers.get(head, head) + path[len(head) :]] = value
    return call.model_copy(update={"settings": settings})


def private_call(call: RecordedCall) -> RecordedCall:
    """Return a call without texts, pictures and names of the user."""
    outcome = call.outcome.partition(":")[0]  # the class of an error, whose words may quote the prompt
    settings = {path: value for path, value in call.settings.items() if _is_ours(path, value)}
    machine = {name: text for name, text in call.machine.items() if _is_of_the_machine(name, text)}
    left_out = [*(call.settings.keys() - settings.keys()), *(["call.prompt"] if call.prompt is not None else [])]
    numbered = ["lora"] if any(path.startswith("lora.") for path in settings) else []
    return call.model_copy(
        update={
            "where": f"line {call.where.rpartition(':')[2]}" if call.where else "",
            "outcome": outcome,
            "prompt": None,
            "settings": settings,
            "trace": call.trace and _without_inputs(call.trace),
            "machine": machine,
            "withheld": tuple(sorted({*numbered, *map(_sayable, left_out), *_tables_left_out(call.machine, machine)})),
            "without_clip": PRIVATE if call.frames else call.without_clip,
            "messages": (),
            "ignored": (),
            "tensors": (),
        }
    )


def _sayable(path: str) -> str:
    """Return a path, or the table that it is in where its last names may be words of the user."""
    parts = path.split(".")
    while len(parts) > 1 and not _is_ours(".".join(parts), None):
        parts.pop()
    return ".".join(parts)


def _tables_left_out(before: Mapping[str, str], kept: Mapping[str, str]) -> list[str]:
    return ["machine"] if before.keys() - kept.keys() else []


def _without_inputs(trace: TraceRecord) -> TraceRecord:
    """Return a trace without digests of pictures, by which a picture that is known could be confirmed."""
    if not trace.inputs:
        return trace
    return trace.model_copy(update={"inputs": [], "unobserved": [*trace.unobserved, "inputs"]})


def _is_of_the_machine(name: str, text: str) -> bool:
    """Whether a version, a device or the value of a variable can hold no folder and no name of the user."""
    return name in LIBRARIES or name in FACTS or (name.isupper() and _VALUE_OF_VARIABLE.fullmatch(text) is not None)


def _is_ours(path: str, value: Any) -> bool:
    """Whether neither a path nor its value can hold a text of the user."""
    parts = path.split(".")
    if not all(map(_NAME.fullmatch, parts)) or (parts[0] == "call" and len(parts) > _PARTS_OF_AN_ARGUMENT):
        return False
    if value is None or isinstance(value, bool | int | float) or _WORDS_OF_LIBRARIES.search(path):
        return True
    if isinstance(value, list):
        return all(_is_ours(path, each) for each in value)
    return path == "model.id" and isinstance(value, str) and is_repository_id(value)
