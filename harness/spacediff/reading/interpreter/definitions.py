"""Definitions and imports, and what they bind to names."""

from __future__ import annotations

import ast

from spacediff.reading.interpreter import decorators
from spacediff.reading.interpreter.assignments import scope_of
from spacediff.reading.interpreter.enums import make_members
from spacediff.reading.interpreter.functions import defaults_of
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Class,
    External,
    Function,
    Module,
)

_KINDS = {"staticmethod": "staticmethod", "classmethod": "classmethod", "property": "property",
          "cached_property": "property", "functools.cached_property": "property"}  # fmt: skip
"""Decorator as it is written to the kind of the function."""
_CHANGES_PROPERTY = (".setter", ".deleter")
"""Ends of the decorators of functions that are called when a property is set; an instance then has the value."""


def define_function(state: State, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Bind a function, after its decorators."""
    defaults = defaults_of(state, node.args)
    written = [state.words(decorator) for decorator in node.decorator_list]
    if any(text.endswith(_CHANGES_PROPERTY) for text in written):
        return
    function = Function(
        state.where(node),
        node,
        state.frame.scopes,
        state.frame.source.name,
        defaults,
        kind=next((kind for text in written for name, kind in _KINDS.items() if text == name), ""),
        cell=state.heap.new(),
    )
    state.defined.append(function)
    made = decorators.decorated(state, function, node)
    state.heap.put(state.frame.scopes[0], node.name, made)
    state.libraries.on_function_defined(state, function, node)


def define_class(state: State, node: ast.ClassDef) -> None:
    """Bind a class; its body is followed in a scope of its own."""
    bases = tuple(state.evaluate(base) for base in node.bases)
    cell = state.heap.new()
    inherited: list[str] = [name for base in bases if isinstance(base, Class) for name in base.fields]
    fields = [
        statement.target.id
        for statement in node.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    ]
    scopes = state.frame.scopes
    state.frame.scopes = (cell, *scopes)
    try:
        state.run(node.body)
    finally:
        state.frame.scopes = scopes
    made = Class(state.where(node), node.name, cell, bases, tuple(dict.fromkeys([*inherited, *fields])))
    make_members(state, made)
    state.heap.put(scopes[0], node.name, made)


def follow_import(state: State, node: ast.Import) -> None:
    """Bind another file of the source, or a library by its name."""
    for alias in node.names:
        first = alias.name.split(".", maxsplit=1)[0]
        if alias.asname or first == alias.name:
            own = state.module(alias.name, node)
            name = alias.asname or alias.name
            state.heap.put(scope_of(state, name), name, own or External(state.where(node), alias.name))
            continue
        package = _package(state, alias.name, node)
        state.heap.put(scope_of(state, first), first, package or External(state.where(node), first))


def _package(state: State, dotted: str, node: ast.AST) -> Module | None:
    """Return the first package of `import package.module`, with the module as its attribute; None for a library."""
    own = state.module(dotted, node)
    if own is None:
        return None
    *packages, last = dotted.split(".")
    for length in range(len(packages), 0, -1):
        found = state.module(".".join(packages[:length]), node)
        owner = found or Module(own.where, state.heap.new())
        state.heap.put(owner.cell, last, own)
        own, last = owner, packages[length - 1]
    return own


def follow_import_from(state: State, node: ast.ImportFrom) -> None:
    """Bind names of another file of the source, or of a library."""
    module = state.module(node.module or "", node, node.level) if node.module or node.level else None
    for alias in node.names:
        name = alias.asname or alias.name
        if alias.name == "*":
            _import_all(state, module)
            continue
        value = state.heap.cell(module.cell).get(alias.name) if module is not None else None
        dotted = f"{node.module}.{alias.name}" if node.module else alias.name
        value = value or state.module(dotted, node, node.level)
        of_source = "." if node.level and not node.module else ""
        state.heap.put(scope_of(state, name), name, value or External(state.where(node), f"{of_source}{dotted}"))


def _import_all(state: State, module: Module | None) -> None:
    if module is not None:
        for name, value in list(state.heap.cell(module.cell).items()):
            if not name.startswith("_"):
                state.heap.put(state.frame.scopes[0], name, value)
