"""Requests: what a client sends to a server is a dict or an object whose fields are inputs.

The key insight is that a source says what a field is if the client leaves it out: `job["input"].get("steps", 50)`.
"""

from __future__ import annotations

import ast
import re

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.parameters import as_inputs
from spacediff.reading.interpreter.records import Entry
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Arguments,
    Asked,
    Attribute,
    External,
    Function,
    Known,
    Table,
    Unknown,
    Value,
)
from spacediff.reading.values.inputs import asked, field_of, text_of

_REQUEST = re.compile(r"(^|\.)request\.(json|form|args|values|data|query_params|get_json|get_data)$")
"""The request of Flask, Quart, Bottle or Sanic, as a name of their modules."""
_LOOK_UPS = frozenset({"get", "pop", "getlist", "get_argument", "setdefault"})
_ROUTES = frozenset({"post", "get", "put", "route", "websocket", "api_route", "add_route", "handler", "background"})
"""Decorators that make a function an endpoint of a server."""
_SAME_FIELDS = frozenset(
    {"json", "get_json", "body", "form", "dict", "model_dump", "copy", "to_dict", "items", "decode"}
)
"""Methods that return what was sent in another form."""
_PARSERS = frozenset({"json.loads", "dict", "orjson.loads", "ujson.loads", "copy.copy", "copy.deepcopy", "vars"})


class Requests(Library):
    """Takes what is looked up in a request for an input with its default."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return what was sent, a field of it, or the fields that a schema of runpod describes."""
        owner, _, name = function.name.rpartition(".")
        if _REQUEST.search(function.name):
            return _sent(state, node)
        if name in _LOOK_UPS and _REQUEST.search(owner):
            return _looked_up(state, arguments, node)
        first = arguments.get("", 0)
        if function.name in _PARSERS and first is not None and is_sent(first):
            return _sent(state, node)
        if name == "validate" and (schema := arguments.get("schema", 1)) is not None:
            return _validated(state, schema, node)
        return None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a field of what was sent."""
        if not is_sent(owner):
            return None
        if name in _LOOK_UPS:
            return _looked_up(state, arguments, node)
        return _sent(state, node) if name in _SAME_FIELDS else None

    def item(self, state: State, owner: Value, key: Value, node: ast.AST) -> Value | None:
        """Return a field of what was sent, as `data["prompt"]` does."""
        is_request = isinstance(owner, External) and _REQUEST.search(owner.name)
        if not (is_request or is_sent(owner)) or not text_of(key):
            return None
        return field_of(text_of(key), None, state.where(node))

    def on_function_defined(
        self, state: State, function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> None:
        """Register a function that a server calls, such as one below `@app.post("/")`."""
        names = [one.func.attr for one in node.decorator_list
                 if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)]  # fmt: skip
        is_method = [one.arg for one in node.args.args[:1]] in (["self"], ["cls"])
        if not _ROUTES.isdisjoint(names) and not is_method:
            state.entries.append(Entry(function, as_inputs(state, function), state.where(node)))


def is_sent(value: Value) -> bool:
    """Return whether a value is, or is a part of, something that a client sends and that has no default."""
    while isinstance(value, Attribute):
        value = value.owner
    return isinstance(value, Asked) and isinstance(value.value, Unknown) and value.source.kind in {"parameter", "field"}


def _sent(state: State, node: ast.AST) -> Value:
    """Return everything that a client sends."""
    return asked("field", "", Unknown(state.where(node), state.words(node), template="{request}"), state.where(node))


def _looked_up(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    key = text_of(arguments.get("key", 0) or arguments.get("name"))
    default = arguments.get("default", 1) or Known(state.where(node), None)
    if isinstance(default, Table) and not default.items:  # its fields are what the client sends
        return _sent(state, node)
    return field_of(key, default, state.where(node)) if key else None


def _validated(state: State, schema: Value, node: ast.AST) -> Value | None:
    """Return what runpod's `validate(job["input"], SCHEMA)` returns for what is valid."""
    rows = schema.named if isinstance(schema, Table) and not schema.open else {}
    if not rows or not all(isinstance(row, Table) and row.get("type") is not None for row in rows.values()):
        return None
    where = state.where(node)
    fields = []
    for name, row in rows.items():
        default = row.get("default") if isinstance(row, Table) else None
        fields.append((name, field_of(name, default, default.where if default is not None else where)))
    return Table(where, (("validated_input", Table(where, tuple(fields), identity=state.heap.identity())),))
