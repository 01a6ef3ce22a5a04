"""What happens to the user's prompt before the call: it is rewritten, translated, or put into a template."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from spacediff.reading.interpreter.records import Event
from spacediff.reading.interpreter.state import State
from spacediff.reading.model import Note
from spacediff.reading.values import (
    Asked,
    Either,
    Known,
    Unknown,
    Value,
    Widget,
    all_of,
    alternatives,
    conditions_of,
    rewritten_in,
)

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_LONGEST = 400
_BOXES = frozenset({"Textbox", "TextArea", "Text"})


def prompt_notes(rewriting: Sequence[Note], paths: Mapping[str, Value]) -> list[Note]:
    """Return what changes the prompt of a call.

    Args:
        rewriting: What rewrites or translates texts, by number.
        paths: The values of the call, by the path of their setting.
    """
    found: list[Note] = []
    for path, value in paths.items():
        if not path.startswith("call.prompt"):
            continue
        for place, (option, condition) in enumerate(zip(alternatives(value), conditions_of(value), strict=True)):
            usual = place == 0 or not (isinstance(value, Either) and value.decided)
            found += [
                replace(note, only_if=note.only_if or condition, usual=note.usual and usual)
                for note in _rewriters(rewriting, option)
            ]
            template = _template_of(option)
            if template:
                found.append(Note("prompt template", template[:_LONGEST], option.where, condition, usual))
    return list({(note.kind, note.text, note.where): note for note in found}.values())


def _rewriters(rewriting: Sequence[Note], value: Value) -> list[Note]:
    """Return the last model of each kind that a value comes from."""
    each = {rewriting[number].kind: rewriting[number] for number in sorted(rewritten_in(value))
            if number < len(rewriting)}  # fmt: skip
    return list(each.values())


def notes_before(state: State, event: Event, result: Value | None) -> list[Note]:
    """Return what an event of its own does to a text box that the user may send as the prompt afterwards."""
    boxes = [one for one in event.outputs or () if isinstance(one, Widget) and one.source.kind in _BOXES]
    in_chain = event.after is not None or any(other.after is event for other in state.events)
    if in_chain or event.kind == "load" or not boxes or result is None:
        return []
    first = f"the user triggers {event.trigger!r} first" if event.trigger else f"the event at {event.where} happens"
    return [
        replace(note, only_if=all_of(first, note.only_if), usual=False) for note in _rewriters(state.rewriting, result)
    ]


def _template_of(value: Value) -> str:
    """Return the template that a prompt is put into; empty if it stays as the user writes it."""
    inner = value.value if isinstance(value, Asked) else value
    if isinstance(inner, Unknown):
        return "" if _PLACEHOLDER.fullmatch(inner.template) else inner.template
    if not isinstance(value, Asked) or not isinstance(inner, Known) or not isinstance(inner.value, str):
        return ""
    written = value.source.default
    if not isinstance(written, str) or not written.strip() or inner.value.strip() == written.strip():
        return ""
    name = value.source.label or "prompt"
    return inner.value.replace(written.strip(), f"{{{name}}}") if written.strip() in inner.value else ""
