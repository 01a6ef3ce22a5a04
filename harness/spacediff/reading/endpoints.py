"""The endpoint through which a Gradio app offers the call that was read: its name, inputs and outputs.

The rules are those of `gradio/blocks.py` (set_event_trigger, get_api_info). The name of an endpoint is its `api_name`,
otherwise that of its function, with a number if the name is taken. Inputs have the names of the function's parameters.
Components without a value for a client are left out.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Callable, Mapping, Sequence

from spacediff.reading.interpreter.records import Event
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.gradio.parameters import positional_parameters, receives_dict
from spacediff.reading.model import Endpoint, Input
from spacediff.reading.values import Function, Known, Unknown, Value, Widget

_LEFT_OUT = frozenset({"State", "Button", "Row", "Column", "Tab", "TabItem", "Tabs", "Accordion", "Group", "Blocks"})
"""Components that the API skips."""
_RESERVED = frozenset({"api_name", "fn_index", "result_callbacks"})
_COMPONENT = re.compile(r"^(?:gr|gradio)\.(\w+)\(")
_PUNCTUATION = set(string.punctuation) - {"-", "_"}
_SEED_KINDS = frozenset({"Number", "Slider", "Textbox", "Text", "number", "slider", "text", "textbox"})


def endpoint_of(state: State, call: int, sources: Mapping[str, Input]) -> Endpoint | None:
    """Return the endpoint that leads to a pipeline call; None if the source does not show it.

    Args:
        state: The interpreter, after it has followed the source.
        call: Number of the pipeline call.
        sources: Path of a setting to the input that its value comes from.
    """
    event = _event_of(state, call)
    if event is None or event.inputs is None or event.outputs is None or len(event.functions) != 1:
        return None
    given = [_component(value) for value in event.inputs]
    parameters = _parameters(event.functions[0], len(given))
    outputs = [_component(value) for value in event.outputs]
    if parameters is None or None in given or None in outputs:
        return None
    inputs = {
        name: one for name, one in zip(parameters, given, strict=True) if one is not None and one.kind not in _LEFT_OUT
    }
    place = state.events.index(event)
    shown = [(one, name) for one, name in zip(outputs, _results(event.functions[0], len(outputs)), strict=True) if one]
    shown = [(one, name) for one, name in shown if one.kind not in _LEFT_OUT]
    return Endpoint(
        name=_names(state.events, "")[place],
        former_name=_names(state.events, "predict")[place],
        has_own_name=isinstance(event.api_name, Known) and bool(event.api_name.value),
        inputs=inputs,
        outputs=tuple(one for one, _ in shown),
        prompt=_fed_by(inputs, sources.get("call.prompt"), lambda name, _: name == "prompt"),
        seed=_fed_by(inputs, sources.get("rng.seed"), lambda name, one: "seed" in name and one.kind in _SEED_KINDS),
        where=event.where,
        results=tuple(name for _, name in shown),
    )


def _event_of(state: State, call: int) -> Event | None:
    """Return the event that leads to a call; of several that lead to this place, one with a name in the API."""
    places = {one.number: (one.where, one.name) for one in state.calls}
    leading = [event for event, calls in state.reached if places[call] in [places[one] for one in calls]]
    own = next((event for event, calls in state.reached if call in calls), None)
    if own is None or _names([own], "predict")[0]:
        return own
    return next((event for event in leading if _names([event], "predict")[0]), own)


def _results(function: Function, count: int) -> list[str]:
    """Return the variable names of what a function returns; an empty name for any other expression."""
    if count > 1 and isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef):
        for node in ast.walk(function.node):
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) == count:
                return [each.id if isinstance(each, ast.Name) else "" for each in node.value.elts]
    return [""] * count


def _fed_by(inputs: Mapping[str, Input], source: Input | None, similar: Callable[[str, Input], bool]) -> str:
    """Return the parameter that receives an input, otherwise the only similar one; empty if there is none."""
    exact = [name for name, one in inputs.items() if one is source]
    exact = exact or [name for name, one in inputs.items() if one == source]  # created from a text, such as "text"
    alike = [name for name, one in inputs.items() if similar(name, one)]
    return next((found[0] for found in (exact, alike) if len(found) == 1), "")


def _component(value: Value) -> Input | None:
    if isinstance(value, Widget):
        return value.source
    if isinstance(value, Known) and isinstance(value.value, str):  # gr.Interface(inputs="text")
        return Input(value.value, "", None, value.where)
    found = _COMPONENT.match(value.text) if isinstance(value, Unknown) else None
    return Input(found[1], "", None, value.where) if found else None


def _names(events: Sequence[Event], of_interface: str) -> list[str]:
    """Return the name of each event in the API; empty if it has none or an unknown one."""
    taken: list[str] = []
    for event in events:
        name = _name(event, of_interface)
        count = 0
        while name and (numbered := f"{name}_{count}" if count else name) in taken:
            count += 1
        taken.append(numbered if name else "")
    return taken


def _name(event: Event, of_interface: str) -> str:
    given = event.api_name
    if isinstance(given, Known) and isinstance(given.value, str) and given.value.strip():
        return given.value
    if given is not None and not (isinstance(given, Known) and given.value in {None, ""}):
        return ""
    if event.kind == "Interface" and of_interface:
        return of_interface
    called = {function.name for function in event.functions}
    return "".join(letter for letter in called.pop() if letter not in _PUNCTUATION) if len(called) == 1 else ""


def _parameters(function: Function, count: int) -> list[str] | None:
    """Return the parameter names of a function's inputs; None if they are unknown."""
    if function.given[1]:  # functools.partial: its own signature
        return None
    if receives_dict(function, count):  # a set of inputs is passed as one dict
        return None
    found = [name for name, is_filled_in in positional_parameters(function) if not is_filled_in]
    found += [""] * (count - len(found))
    return [name if name and name not in _RESERVED else f"param_{place}" for place, name in enumerate(found[:count])]
