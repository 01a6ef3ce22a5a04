"""Objects that hold settings: `SimpleNamespace`, `EasyDict`, OmegaConf's, named tuples, dataclasses.

The key insight is that most of them are dicts whose items are attributes too. So they are dicts here, and an attribute
of a dict is its item. A plain dict has no such attributes, and a source that used them would fail.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from spacediff.reading.interpreter.displays import as_table
from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Arguments,
    Class,
    External,
    Items,
    Known,
    Object,
    Table,
    Unknown,
    Value,
    containers,
)

_NAMESPACES = frozenset({"types.SimpleNamespace", "SimpleNamespace", "argparse.Namespace", "Namespace"})
_DICTS = frozenset({
    "EasyDict", "edict", "Munch", "munchify", "Box", "ConfigDict", "AttrDict", "DotMap", "OmegaConf.create",
    "omegaconf.OmegaConf.create", "omegaconf.DictConfig", "DictConfig", "addict.Dict", "Bunch",
})  # fmt: skip
_DEEPEST = 8
_AS_DICT = frozenset({"dict", "model_dump", "_asdict", "to_dict", "toDict", "copy"})
"""Methods of an instance that return its fields as a dict."""
_WITH_CHANGES = frozenset({"replace", "_replace", "model_copy"})


class SettingsObjects(Library):
    """Knows classes of objects that hold settings, and what makes dicts of them."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a namespace, a dict with attributes, or the class of a named tuple."""
        last_two = ".".join(function.name.split(".")[-2:])
        if function.name in _NAMESPACES:
            return Object(state.where(node), "instance", state.heap.new(dict(arguments.named)))
        if not _DICTS.isdisjoint({function.name, function.last_name, last_two}):
            return _dict_of(state, arguments, node)
        if last_two == "OmegaConf.to_container":
            return arguments.get("", 0)
        if last_two == "OmegaConf.from_cli":  # settings of the command line; by default there are none
            return Table(state.where(node), (), open=state.files.command is not None)
        if last_two == "OmegaConf.merge":
            return _merged(state, arguments, node)
        found = _FUNCTIONS.get(function.last_name) if function.package in _PACKAGES | {function.last_name} else None
        return found(state, arguments, node) if found is not None else None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the fields of an instance as a dict, or a copy with some of them changed."""
        if not isinstance(owner, Object) or owner.kind != "instance":
            return None
        if name in _AS_DICT:
            return _fields(state, owner, node) if name != "copy" else _changed(state, owner, arguments, node)
        return _changed(state, owner, arguments, node) if name in _WITH_CHANGES else None

    def attribute(self, state: State, owner: Value, name: str, node: ast.AST) -> Value | None:
        """Return the `__dict__` of an instance."""
        if name != "__dict__" or not isinstance(owner, Object) or owner.kind != "instance":
            return None
        return _fields(state, owner, node)


def _dict_of(state: State, arguments: Arguments, node: ast.AST) -> Value:
    """Return a new dict with the items of another one and of keyword arguments."""
    first = arguments.get("", 0)
    base = as_table(state, first) if first is not None else Table(state.where(node), ())
    named = Table(state.where(node), tuple(arguments.named.items()), bool(arguments.open))
    return containers.copied(containers.merged(base, named, state.unknown(node)), state.heap.identity, _DEEPEST)


def _merged(state: State, arguments: Arguments, node: ast.AST) -> Value:
    """Return the settings of several objects; where two set the same, the later one counts, in inner settings too."""
    tables = [as_table(state, one) for one in arguments.positional]
    unknown, made = state.unknown(node), Table(state.where(node), (), bool(arguments.open))
    for table in tables:
        made = _with_inner(made, table, unknown, _DEEPEST)
    return containers.copied(made, state.heap.identity, _DEEPEST)


def _with_inner(owner: Table, other: Table, unknown: Unknown, depth: int) -> Table:
    inner = {
        key: _with_inner(ours, theirs, unknown, depth - 1)
        for key, theirs in other.items
        if depth and isinstance(theirs, Table) and isinstance(ours := owner.get(key), Table)
    }
    made = containers.merged(owner, other, unknown)
    return replace(made, items=tuple((key, inner.get(key, value)) for key, value in made.items))


def _fields(state: State, owner: Object, node: ast.AST) -> Table:
    cell = state.heap.cell(owner.cell)
    made = cell.get("__class__")
    kept = {name: value for name, value in cell.items() if name != "__class__"}
    named = [name for name in made.fields if name in kept] if isinstance(made, Class) and made.fields else list(kept)
    return Table(state.where(node), tuple((name, kept[name]) for name in named), identity=state.heap.identity())


def _changed(state: State, owner: Object, arguments: Arguments, node: ast.AST) -> Object:
    update = arguments.named.get("update")
    changes = as_table(state, update).named if update is not None else arguments.named
    return Object(state.where(node), "instance", state.heap.new({**state.heap.cell(owner.cell), **changes}))


def _named_tuple(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return the class that `namedtuple("Size", "width height")` makes."""
    name, given = arguments.get("typename", 0), arguments.get("field_names", 1) or arguments.get("fields", 1)
    fields: list[str] = []
    if isinstance(given, Known):
        fields = str(given.value).replace(",", " ").split()
    elif isinstance(given, Items):
        each = [item.items[0] if isinstance(item, Items) and item.items else item for item in given.items]
        fields = [str(item.value) for item in each if isinstance(item, Known)]
    if not isinstance(name, Known) or not fields:
        return None
    defaults = arguments.named.get("defaults")
    values = defaults.items if isinstance(defaults, Items) else ()
    cell = state.heap.new(dict(zip(fields[len(fields) - len(values) :], values, strict=False)))
    return Class(state.where(node), str(name.value), cell, (), tuple(fields))


def _as_dict(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    first = arguments.get("obj", 0)
    return _fields(state, first, node) if isinstance(first, Object) and first.kind == "instance" else None


def _replaced(state: State, arguments: Arguments, node: ast.AST) -> Value | None:
    first = arguments.get("obj", 0)
    given = Arguments([], arguments.named)
    return _changed(state, first, given, node) if isinstance(first, Object) and first.kind == "instance" else None


_PACKAGES = frozenset({"dataclasses", "collections", "typing", "attr", "attrs"})
_FUNCTIONS: dict[str, Callable[[State, Arguments, ast.AST], Value | None]] = {
    "asdict": _as_dict,
    "namedtuple": _named_tuple,
    "NamedTuple": _named_tuple,
    "replace": _replaced,
}
