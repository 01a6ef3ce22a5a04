"""Events: what the user triggers, the function that it calls with its inputs, and the event that follows it."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from spacediff.reading.interpreter.parameters import defaults_as_inputs
from spacediff.reading.interpreter.records import Condition, Entry, Event
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.gradio.components import as_argument, is_empty_text
from spacediff.reading.libraries.gradio.parameters import positional_parameters, receives_dict
from spacediff.reading.values import (
    Arguments,
    Either,
    Function,
    Items,
    Known,
    Object,
    Table,
    Unknown,
    Value,
    Widget,
    alternatives,
    conditions_of,
    contradict,
)
from spacediff.reading.values.inputs import asked, text_of

TRIGGERS = frozenset({
    "apply", "blur", "change", "clear", "click", "delete", "double_click", "edit", "end", "focus", "input", "key_up",
    "like", "load", "pause", "play", "release", "select", "start_recording", "stop", "stop_recording", "stream",
    "submit", "tap", "tick", "upload", "api",
})  # fmt: skip
"""Methods of a component that register a function for what the user does."""
FOLLOWING = frozenset({"then", "success", "failure"})
"""Methods of an event that register a function to be called after it."""


def register(state: State, kind: str, arguments: Arguments, node: ast.AST, owner: Value | None = None) -> Value:
    """Register the function of an event, and return the event.

    Args:
        state: What follows the source.
        kind: What triggers it, such as `click`.
        arguments: Function, inputs and outputs, as `button.click(...)` takes them.
        node: The call.
        owner: What the event belongs to: a component, or the event that it follows.
    """
    function = arguments.get("fn", 0)
    event = _event(state, kind, arguments, node, owner)
    number = len(state.events)
    state.events.append(event)
    for place, (option, words) in enumerate(zip(alternatives(function), conditions_of(function), strict=True)):
        if isinstance(option, Function):
            given = _under(arguments.get("inputs", 1), words)
            shown = given.items if isinstance(given, Items) else (given,) if given is not None else ()
            is_open = isinstance(given, Items) and given.open
            to_it = Arguments([], {}, "inputs") if is_open else arguments_of(option, shown, event.where)
            usual = place == 0 if isinstance(function, Either) and function.decided else None
            condition = Condition(words, usual) if isinstance(function, Either) else None
            state.entries.append(Entry(option, to_it, event.where, event, condition))
    if isinstance(function, Unknown) and function.results:  # a button is no place for the result of a pipeline
        return state.unknown(node, function)
    return Object(event.where, "event", state.heap.new({"number": Known(event.where, number)}))


def _under(value: Value | None, words: str) -> Value | None:
    """Return what a value is under a condition, if that decides it or the default inputs do."""
    if not isinstance(value, Either):
        return value
    each = zip(value.options, value.conditions, strict=True)
    kept = [option for option, condition in each if not contradict(condition, words)]
    return kept[0] if kept and (len(kept) == 1 or value.decided) else value


def _event(state: State, kind: str, arguments: Arguments, node: ast.AST, owner: Value | None) -> Event:
    """Return an event; Gradio creates its endpoint from it, in the order of the source."""
    function = arguments.get("fn", 0)
    functions = tuple(option for option in alternatives(function) if isinstance(option, Function))
    api_name = arguments.get("api_name", None if kind == "Interface" else 3)
    if text_of(arguments.get("api_visibility")) == "private":
        api_name = Known(state.where(node), value=False)
    before = _followed_by(state, owner)
    label = owner.source.label if isinstance(owner, Widget) else ""
    calls_nothing = function is None or (isinstance(function, Known) and function.value is None)
    return Event(
        kind,
        functions,
        api_name,
        components(_under(arguments.get("inputs", 1), "")),
        components(_under(arguments.get("outputs", 2), "")),
        state.where(node),
        before,
        before.trigger if before is not None else label,
        calls_unknown=not functions and not calls_nothing,
    )


def _followed_by(state: State, owner: Value | None) -> Event | None:
    number = state.get(owner, "number") if isinstance(owner, Object) and owner.kind == "event" else None
    place = number.value if isinstance(number, Known) else None
    return state.events[place] if isinstance(place, int) and place < len(state.events) else None


def components(value: Value | None) -> tuple[Value, ...] | None:
    """Return the inputs or outputs of an event; None if they are unknown."""
    if value is None or (isinstance(value, Known) and value.value is None):
        return ()
    if isinstance(value, Items):
        return None if value.open else value.items
    return (value,) if isinstance(value, Widget | Known | Unknown) else None


def arguments_of(
    function: Function, shown: tuple[Value, ...], where: str, changed: Mapping[str, Value] | None = None
) -> Arguments:
    """Return what a function receives for its inputs: by position, or as one dict of the components.

    Args:
        function: The function.
        shown: Its inputs.
        where: File and line of the event.
        changed: Key of a component to what earlier events have put there.
    """
    earlier = changed or {}
    parameters = positional_parameters(function)
    names = [name for name, is_filled_in in parameters if not is_filled_in]
    as_dict = receives_dict(function, len(shown))
    values: list[Value] = []
    is_first_text = True
    for place, one in enumerate(shown):
        name = names[place] if place < len(names) and not as_dict else ""
        put_there = earlier.get(one.key) if isinstance(one, Widget) else None
        values.append(put_there or as_argument(one, name, is_first_text=is_first_text))
        is_first_text = is_first_text and not is_empty_text(one)
    if as_dict:
        pairs = [(one.key, value) for one, value in zip(shown, values, strict=True) if isinstance(one, Widget)]
        values = [Table(where, tuple(pairs), open=len(pairs) < len(shown))]
    for place, (name, is_filled_in) in enumerate(parameters):
        if is_filled_in and place < len(values):
            values.insert(place, Unknown(where, name))
    return Arguments(values, {})


def register_interface(state: State, kind: str, arguments: Arguments, node: ast.AST) -> Value:
    """Register the function of `gr.Interface` or `gr.ChatInterface`."""
    if kind == "Interface":
        register(state, kind, arguments, node)
    else:
        _register_chat(state, arguments, node)
    return state.unknown(node)


def _register_chat(state: State, arguments: Arguments, node: ast.AST) -> None:
    where = state.where(node)
    message = Unknown(where, "no default: message", template="{message}")
    start = [
        asked("chat message", "message", message, where),
        asked("chat history", "history", Items(where, ()), where),
    ]
    more = arguments.get("additional_inputs")
    added = more.items if isinstance(more, Items) else (more,) if more is not None else ()
    given = [as_argument(value, "", is_first_text=False) for value in added]
    for function in alternatives(arguments.get("fn", 0)):
        if isinstance(function, Function):
            state.entries.append(Entry(function, Arguments([*start, *given], {}), where))


def register_api(state: State, arguments: Arguments, node: ast.AST) -> Value:
    """Register the function of `gr.api(...)`, whose parameters are its inputs."""
    for function in alternatives(arguments.get("fn", 0)):
        if isinstance(function, Function):
            given = Arguments([], defaults_as_inputs(state, function))
            state.entries.append(Entry(function, given, state.where(node)))
    return state.unknown(node)
