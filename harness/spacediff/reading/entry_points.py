"""Follow a whole source: its main file, then what the user interface calls, each event from what the file left.

If no pipeline was called by then, functions and methods that nothing calls are followed too, as a server calls them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from spacediff.reading.chains import Shown
from spacediff.reading.event_flow import EventFlow
from spacediff.reading.interpreter.budget import TooMuchError
from spacediff.reading.interpreter.interpreter import Interpreter
from spacediff.reading.interpreter.library import Libraries
from spacediff.reading.interpreter.modules import follow_file, names_of_file
from spacediff.reading.interpreter.parameters import as_inputs
from spacediff.reading.interpreter.records import Condition, Frame
from spacediff.reading.libraries.diffusers.pipeline_classes import is_pipeline_by_name, of_source
from spacediff.reading.machines import Machine
from spacediff.reading.model import Note
from spacediff.reading.parsing import Files
from spacediff.reading.prompts import notes_before
from spacediff.reading.values import Arguments, Class, Function, Known, Value

_MOST_ENTRIES = 64
_ENTRY_SHARE = 0.5
"""The fraction of the remaining steps that one entry may spend."""
_MAIN_SHARE = 0.75
"""The fraction of all steps that the main file may spend; the rest is for what the user interface calls."""
_FEW_NESTED_CALLS = 2
"""Nested calls that are followed in a source whose calls take too many steps."""
_FIRST_METHODS = ("setup", "load", "load_model", "initialize")


def follow(files: Files, libraries: Libraries, machine: Machine | None = None) -> Interpreter:
    """Follow a source as far as the bounds allow, and return the interpreter with what it wrote down.

    If the bounds were reached before a pipeline was called, the source is followed again with fewer nested calls.

    Args:
        files: The files of the source.
        libraries: What is known of the libraries that it uses.
        machine: The machine that it runs on; None if it is unknown.
    """
    state = _followed(Interpreter(files, libraries, machine))
    if not state.is_cut or state.calls or state.nested_calls <= _FEW_NESTED_CALLS:
        return state
    shallow = _followed(Interpreter(files, libraries, machine, _FEW_NESTED_CALLS))
    return shallow if shallow.calls else state


def _followed(state: Interpreter) -> Interpreter:
    main = state.files.main
    try:
        cell = state.heap.new(names_of_file(main, "__main__", f"{main.name}:1"))
        state.modules[main.name] = cell
        with _limited(state, _MAIN_SHARE):
            follow_file(state, main, cell)
        state.entries += [one for number, one in state.commands.items() if number not in state.called]
        _follow_entries(state)
        if all(call.is_guess for call in state.calls):
            _follow_uncalled(state, cell)
    except (TooMuchError, RecursionError):
        state.is_cut = True
    state.calls = [call for call in state.calls if not call.is_guess] or state.calls
    if state.is_cut:
        where = f" ({state.cut_at} is the first place that takes too much work)" if state.cut_at else ""
        text = f"the source is too large or too deeply nested to be followed completely{where}"
        state.undecided(text)
        state.notes.append(Note("not read to the end", text, main.name))
    return state


@contextmanager
def _limited(state: Interpreter, share: float) -> Iterator[None]:
    """Follow something with a share of the remaining steps; the block is left where they end."""
    try:
        with state.budget.share(share):
            yield
    except TooMuchError:
        state.is_cut = True


def _follow_entries(state: Interpreter) -> None:
    """Follow what the user interface calls: what it calls when the page loads comes first."""
    flow = EventFlow(state)
    done: set[int] = set()
    shown = Shown()
    for _ in range(_MOST_ENTRIES):
        entries = [entry for entry in state.entries if id(entry) not in done]
        if not entries:
            return
        waiting = [entry for entry in entries if not entry.is_last] or entries
        entry = next((one for one in waiting if one.event is not None and one.event.kind == "load"), waiting[0])
        done.add(id(entry))
        before = len(state.calls)
        if entry.is_last:
            _call(state, entry.function, entry.arguments)
            continue
        if entry.event is None:
            with flow.apart(f"the command at {entry.where} is given"):
                _call(state, entry.function, entry.arguments)
            continue
        with flow.event(entry.event):
            result = _call(state, entry.function, shown.arguments(entry), entry.condition)
            shown.note_result(entry.event, result)
            state.notes += notes_before(state, entry.event, result)
        state.reached.append((entry.event, range(before, len(state.calls))))


def _call(
    state: Interpreter, function: object, arguments: Arguments, condition: Condition | None = None
) -> Value | None:
    if not isinstance(function, Function):
        return None
    source = next((one for one in state.sources if one.name == function.file), state.files.main)
    state.frames.append(Frame(source, function.scopes))
    state.conditions[:] = [condition] if condition is not None else []
    try:
        with _limited(state, _ENTRY_SHARE):
            return state.call(function, arguments, function.node)
        return None
    finally:
        state.frames.pop()


def _follow_uncalled(state: Interpreter, cell: int) -> None:
    """Call functions and methods that nothing in the source calls, as a server calls its endpoints."""
    flow = EventFlow(state)
    for value in list(state.heap.cell(cell).values()):
        if isinstance(value, Class) and not _is_used_pipeline(state, value):
            state.frames.append(Frame(state.files.main, (cell,)))
            try:
                _follow_class(state, value, flow)
            finally:
                state.frames.pop()
    functions = [one for one in state.defined[:_MOST_ENTRIES] if cell == one.scopes[0]]
    named = _names_in(functions)
    for function in sorted(functions, key=lambda one: one.name in named):
        if id(function.node) not in state.called:
            with flow.apart(f"{function.name} is called"):
                _call(state, function, as_inputs(state, function))


def _is_used_pipeline(state: Interpreter, made: Class) -> bool:
    """Return whether a class is a pipeline, whose calls are those that the source makes, and not those of a server."""
    start = state.heap.cell(made.cell).get("__init__")
    is_created = isinstance(start, Function) and id(start.node) in state.called
    return of_source(state, made) is not None or (is_created and is_pipeline_by_name(made))


def _follow_class(state: Interpreter, made: Class, flow: EventFlow) -> None:
    """Create an instance of a class and call its methods, those that load a model first."""
    line = re.search(r"(\d+)$", made.where)
    node = ast.Pass(lineno=int(line[1]) if line else 1, col_offset=0)
    start = state.heap.cell(made.cell).get("__init__")
    with flow.apart("", certain=True):
        instance = state.call(made, as_inputs(state, _constructor_of(start)), node)
    methods = {name: value for name, value in state.heap.cell(made.cell).items() if isinstance(value, Function)}
    named = _names_in(methods.values())
    ordered = [*(name for name in _FIRST_METHODS if name in methods), *sorted(methods, key=lambda name: name in named)]
    for name in dict.fromkeys(ordered):
        method = state.attribute(instance, name, node)
        if isinstance(method, Function) and name != "__init__" and id(method.node) not in state.called:
            with flow.apart(f"{name} is called", certain=name in _FIRST_METHODS):
                state.call(method, as_inputs(state, method), node)


def _names_in(functions: Iterable[Function]) -> set[str]:
    """Return the names that functions use; a function that another one names is followed there, with its values."""
    parts = (part for function in functions for part in ast.walk(function.node))
    return {
        part.attr if isinstance(part, ast.Attribute) else part.id
        for part in parts
        if isinstance(part, ast.Attribute | ast.Name)
    }


def _constructor_of(start: object) -> Function:
    """Return a class's `__init__` without its `self`; a function without parameters if it has none."""
    if isinstance(start, Function):
        given = ((Known(start.where, None),), ())
        return Function(start.where, start.node, start.scopes, start.file, start.defaults, given)
    nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return Function("", ast.Lambda(args=nothing, body=ast.Constant(value=None)), (), "")
