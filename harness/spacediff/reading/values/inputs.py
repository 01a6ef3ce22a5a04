"""Values that the user gives, and values as JSON or as text."""

from __future__ import annotations

import re
from typing import Any

from spacediff.reading.model import Input
from spacediff.reading.values.kinds import (
    Absent,
    Asked,
    Either,
    External,
    Items,
    Known,
    Table,
    Unknown,
    Value,
)
from spacediff.reading.values.operations import either, is_small

_PROMPT = re.compile(r"prompt|text|caption|descri|instruct|query|message|idea|words|input|story|scene", re.IGNORECASE)
_BESIDE_THE_PROMPT = re.compile(
    r"neg|extra|addition|suffix|prefix|append|lora|model|repo|path|url|token|key|system|style|title|trigger|seed|name",
    re.IGNORECASE,
)


def may_be_prompt(name: str) -> bool | None:
    """Return whether the name of an input says that it is the prompt; None if it says nothing."""
    if _BESIDE_THE_PROMPT.search(name):
        return False
    return True if _PROMPT.search(name) else None


def written_by_user(where: str, name: str) -> Unknown:
    """Return a text that the user has to write, and that is not empty therefore."""
    return Unknown(where, f"no default: {name or 'the text'}", template=f"{{{name or 'prompt'}}}")


def field_of(name: str, default: Value | None, where: str) -> Value:
    """Return a field of what a client sends; the prompt is always sent.

    Args:
        name: Its name.
        default: What it is if the client does not send it; None if it has to be sent.
        where: File and line that ask for it.
    """
    is_empty = default is None or (isinstance(default, Known) and default.value in {None, ""})
    if is_empty and may_be_prompt(name):
        return Asked(where, Input("field", name[:200], None, where), written_by_user(where, name))
    return asked("field", name, default, where)


def given(source: Input, default: Value, where: str) -> Value:
    """Return what the user gives for an input; of a default with alternatives, each is one of the result.

    Args:
        source: What asks for it.
        default: What it is if the user gives nothing.
        where: File and line that ask for it.
    """
    if isinstance(default, Either):
        options = [one if isinstance(one, Absent) else given(source, one, where) for one in default.options]
        return either(options, where, decided=default.decided, only_if=default.only_if)
    return Asked(where, source, default.value if isinstance(default, Asked) else default)


def asked(kind: str, label: str, default: Value | None, where: str) -> Value:
    """Return a value that the user gives; without a default its own value is unknown.

    Args:
        kind: What asks for it: `Slider`, `argument`, `environment variable`.
        label: Its name, as the user sees it.
        default: What it is if the user gives nothing; None if there is no default.
        where: File and line that ask for it.
    """
    value = default if default is not None else Unknown(where, f"no default: {label}")
    return given(Input(kind, label[:200], json_of(value), where), value, where)


def json_of(value: Value | None) -> Any:
    """Return a value as JSON; None if it is unknown or too large."""
    return _json(value) if value is not None and is_small(value) else None


def _json(value: Value) -> Any:
    if isinstance(value, Known):
        return value.value
    if isinstance(value, Asked):
        return _json(value.value)
    if isinstance(value, Either) and value.decided:
        return _json(value.options[0])
    if isinstance(value, Items) and not value.open:
        return [_json(item) for item in value.items]
    if isinstance(value, Table) and not value.open:
        return {str(name): _json(item) for name, item in value.items}
    return value.name if isinstance(value, External) else None


def shown(value: Value) -> str:
    """Return a constant as text for a label; `?` for any other value."""
    return str(value.value) if isinstance(value, Known) else "?"


def text_of(value: Value | None) -> str:
    """Return a constant as text; empty for None and for any other value."""
    return shown(value) if isinstance(value, Known) and value.value is not None else ""
