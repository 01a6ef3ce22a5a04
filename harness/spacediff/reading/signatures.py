"""Arguments and defaults of the installed diffusers, read from its source without importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from spacediff.errors import nearest_name
from spacediff.reading.installed import Method, method
from spacediff.reading.model import Note, Reading
from spacediff.scenario.owned import OWNED
from spacediff.settings import is_plain

_PLAIN_TYPES = frozenset(
    {"Dict", "List", "Optional", "Tuple", "Union", "bool", "dict", "float", "int", "list", "str", "tuple"}
)


def call_defaults(pipeline: str) -> dict[str, Any]:
    """Return the defaults of a pipeline's `__call__`, read from the source of the installed diffusers.

    Empty when diffusers is not installed, or has no such class.
    """
    found = _defaults_of(method(pipeline, "__call__"))
    return {name: value for name, value in found if f"call.{name}" not in OWNED}


def class_defaults(scheduler: str) -> dict[str, Any]:
    """Return the defaults of a scheduler's configuration, read from the source of the installed diffusers."""
    return dict(_defaults_of(method(scheduler, "__init__")))


def call_names(pipeline: str) -> tuple[str, ...]:
    """Return the arguments of a pipeline's `__call__` that a scenario may give; empty if it takes any."""
    found = method(pipeline, "__call__")
    closed = found.parameters if found is not None and not found.swallows else ()
    return tuple(name for name in closed if f"call.{name}" not in OWNED)


def accepts(pipeline: str, argument: str) -> bool:
    """Return whether the `__call__` of a pipeline has an argument; True if that is unknown."""
    found = method(pipeline, "__call__")
    return found is None or found.swallows or argument in found.parameters


def positions(pipeline: str) -> tuple[str, ...]:
    """Return the parameters of a pipeline's `__call__` that positional arguments reach; empty if unknown."""
    found = method(pipeline, "__call__")
    return found.parameters[: found.positional] if found is not None else ()


def dropped(owner: str, method_name: str, argument: str) -> str | None:
    """Return how a method of an installed class drops a keyword argument: it accepts the argument, but never uses it.

    Returns:
        A sentence, with the nearest name that the method has; None if the method uses the argument or refuses it, or if
        that is unknown.
    """
    found = method(owner, method_name)
    if found is None or not found.swallows or found.uses(argument):
        return None
    nearest = nearest_name(argument, [*found.parameters, *found.taken])
    meant = f"; did you mean {nearest}?" if nearest else ""
    return f"the installed diffusers accepts it and drops it{meant}"


def components(pipeline: str) -> tuple[str, ...]:
    """Return the parts of a pipeline: the parameters of its constructor that are instances of classes."""
    found = method(pipeline, "__init__")
    if found is None:
        return ()
    annotated = (*found.node.args.args, *found.node.args.kwonlyargs)
    plain = {one.arg for one in annotated if one.annotation is not None and _is_plain_type(one.annotation)}
    return tuple(name for name in found.parameters if name not in plain)


def component_class(pipeline: str, component: str) -> str:
    """Return the class of a pipeline's component, if its constructor names only one; otherwise an empty text."""
    found = method(pipeline, "__init__")
    every = (*found.node.args.args, *found.node.args.kwonlyargs) if found is not None else ()
    annotated = next((one.annotation for one in every if one.arg == component), None)
    names = {one.id for one in ast.walk(annotated) if isinstance(one, ast.Name)} if annotated is not None else set()
    classes = names - {"Optional", "Union"}
    return classes.pop() if len(classes) == 1 else ""


def _is_plain_type(annotation: ast.expr) -> bool:
    """Return whether an annotation names only builtin types, such as `float | None`."""
    names = {one.id for one in ast.walk(annotation) if isinstance(one, ast.Name)}
    return bool(names) and names <= _PLAIN_TYPES


def takes(pipeline: str, argument: str) -> bool | None:
    """Return whether the `__call__` of the installed pipeline has a use for an argument; None if that is unknown."""
    found = method(pipeline, "__call__")
    if found is None:
        return None
    if argument in found.parameters or argument in found.taken:
        return True
    return None if found.is_open else False


def annotation(pipeline: str, argument: str) -> str:
    """Return the type of an argument of a pipeline's `__call__`, as diffusers writes it; empty if it is unknown."""
    found = method(pipeline, "__call__")
    every = (*found.node.args.args, *found.node.args.kwonlyargs) if found else ()
    return next((ast.unparse(one.annotation) for one in every if one.arg == argument and one.annotation), "")


def refusals(reading: Reading) -> list[Note]:
    """Return a note for each argument that the installed pipeline does not have, with the nearest name that it has.

    What is passed only under some condition is left out: under that condition the pipeline may be another one.
    """
    pipeline = reading.signature
    found = method(pipeline, "__call__")
    if found is None or found.swallows:
        return []
    notes = []
    for path, setting in reading.settings.items():
        table, _, name = path.partition(".")
        is_keyword = table == "call" and name.isidentifier() and not name.startswith("argument_")
        if is_keyword and path not in reading.alternatives and name not in found.parameters:
            nearest = nearest_name(name, list(found.parameters))
            meant = f"; did you mean {nearest}?" if nearest else ""
            text = f"{pipeline} of the installed diffusers has no argument {name}, so the call would fail{meant}"
            notes.append(Note("refused argument", text, setting.where))
    return notes


def _defaults_of(found: Method | None) -> Iterator[tuple[str, Any]]:
    """Yield the parameters with plain defaults."""
    if found is None:
        return
    arguments = found.node.args
    names = [argument.arg for argument in arguments.args]
    pairs = list(zip(names[len(names) - len(arguments.defaults) :], arguments.defaults, strict=True))
    pairs += [
        (one.arg, default) for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default
    ]
    for name, default in pairs:
        try:
            value = ast.literal_eval(default)
        except ValueError:
            continue
        if is_plain(value):
            yield name, value
