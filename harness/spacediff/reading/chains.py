"""Events of a user interface that follow each other: the results of one are what the next receives.

A component shows the value of the source until an event returns another one for it. Events of the page's load come
before all others; an event that follows another, as in `click(...).then(...)`, sees what that one returned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spacediff.reading.interpreter.records import Entry, Event
from spacediff.reading.libraries.gradio.components import updated
from spacediff.reading.libraries.gradio.events import arguments_of
from spacediff.reading.values import (
    Arguments,
    Either,
    Function,
    Items,
    Table,
    Unknown,
    Value,
    Widget,
    either,
    results_in,
)
from spacediff.reading.values.inputs import given

_Shown = Mapping[str, Value]
"""Key of a component to what it shows, if that is no longer its own value."""


@dataclass
class Shown:
    """What components show while the events of a page are followed in their order."""

    _at_load: dict[str, Value] = field(default_factory=dict)
    _after: dict[int, dict[str, Value]] = field(default_factory=dict)

    def arguments(self, entry: Entry) -> Arguments:
        """Return what the function of an event receives after the events before it."""
        event = entry.event
        if event is None or not event.inputs or not isinstance(entry.function, Function):
            return entry.arguments
        shown = self._before(event)
        changed: dict[str, Value] = {
            one.key: shown[one.key] for one in event.inputs if isinstance(one, Widget) and one.key in shown
        }
        if not changed:
            return entry.arguments
        return arguments_of(entry.function, event.inputs, event.where, changed)

    def note_result(self, event: Event, result: Value | None) -> None:
        """Remember what an event returned for its outputs; None if its function was not followed."""
        shown = dict(self._before(event))
        shown |= _per_output(event, result, shown)
        if event.kind == "load" and event.after is None:
            self._at_load |= shown
        self._after[id(event)] = shown

    def _before(self, event: Event) -> _Shown:
        if event.after is None:
            return self._at_load
        if id(event.after) not in self._after and event.after.calls_unknown:
            self.note_result(event.after, None)
        return self._after.get(id(event.after)) or self._before(event.after)


def _per_output(event: Event, result: Value | None, shown: _Shown) -> dict[str, Value]:
    """Return key of a component to what it shows after an event; those that stay as they are, are left out."""
    outputs = [one if isinstance(one, Widget) else None for one in event.outputs or ()]
    found: dict[str, Value] = {}
    for place, component in enumerate(outputs):
        if component is None:
            continue
        value = _for_output(component, place, len(outputs), result, shown)
        if value is not None:
            found[component.key] = value
    return found


def _for_output(component: Widget, place: int, count: int, result: Value | None, shown: _Shown) -> Value | None:  # noqa: PLR0911 - one way out for each kind
    if result is None:
        return Unknown(component.where, "the result of an event that is not followed")
    if isinstance(result, Either):
        now = shown.get(component.key) or given(component.source, component.value, component.where)
        each = [_for_output(component, place, count, one, shown) for one in result.options]
        if all(one is None for one in each):
            return None
        return either([one or now for one in each], result.where, decided=result.decided, only_if=result.only_if)
    if isinstance(result, Table) and result.get("__type__") is None:
        unknown = Unknown(result.where, "a result") if result.open else None
        return _for_one_output(component, result.get(component.key) or unknown, shown)
    if count == 1:
        return updated(result)
    if isinstance(result, Items) and not result.open and len(result.items) == count:
        return _for_one_output(component, result.items[place], shown)
    return Unknown(result.where, f"one of the {count} results of an event", results_in(result))


def _for_one_output(component: Widget, value: Value | None, shown: _Shown) -> Value | None:
    """Return what a component shows after it was given a value; None for no value."""
    if isinstance(value, Either):
        return _for_output(component, 0, 1, value, shown)
    return updated(value) if value is not None else None
