"""Other libraries: exports, post-processing, prompt rewriting; recognised by name, never looked into."""

from __future__ import annotations

import ast
from dataclasses import replace

from spacediff.reading.interpreter.state import Export, State
from spacediff.reading.libraries.diffusers import names
from spacediff.reading.values import constants as folding
from spacediff.reading.values import containers
from spacediff.reading.values.kinds import (
    MOST_OPTIONS,
    Arguments,
    Class,
    External,
    Function,
    Items,
    Known,
    Object,
    Partial,
    Table,
    Value,
    lift,
    may_miss,
    results_in,
)

_COPIES = frozenset({"list", "tuple", "sorted", "set", "copy.copy", "copy.deepcopy"})
_MOST_COPIED = 8
"""Levels of a nested dict that a deep copy is followed into."""
_IMAGE_SAVES = frozenset({"save", "write", "append_data", "imsave", "imwrite", "save_image"})


def call_library(state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
    """Return what a library's function gives, as far as it is known; None where nothing is."""
    name = names.last(function.name)
    suspect(state, function.name, arguments, node)
    if name in names.EXPORTS or (name in _IMAGE_SAVES and _fed(arguments)):
        return _exported(state, name, arguments, node)
    first = arguments.get("", 0)
    if function.name in names.LOADED_AS_IS or name in names.LOADED_AS_IS or ".".join(
        function.name.split(".")[-2:]
    ) in names.LOADED_AS_IS:  # fmt: skip
        return lift(lambda one: one, [first]) if first is not None else None
    if function.name in {"os.getenv", "os.environ.get"}:
        default = arguments.get("default", 1) or Known(state.where(node), None)
        return folding.asked("environment variable", folding.shown(first or function), default, state.where(node))
    if function.name == "input":
        return folding.asked("input()", folding.shown(first) if first else "", None, state.where(node))
    return _builtin(state, function.name, arguments, node)


def _builtin(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value | None:  # noqa: C901, PLR0911 - one way out for each kind
    first = arguments.get("", 0)
    if name == "dict" or (isinstance(first, Items | Table) and name in _COPIES):
        return _copied(state, name, arguments, node)
    if name == "len" and isinstance(first, Items | Table) and not first.open:
        held = first.items if isinstance(first, Items) else first.named.values()
        return None if any(may_miss(item) for item in held) else Known(state.where(node), len(first.items))
    if name == "len" and isinstance(first, Known) and isinstance(first.value, str):
        return Known(state.where(node), len(first.value))
    if name == "getattr" and first is not None and len(arguments.positional) > 1:
        key = arguments.positional[1]
        return lift(lambda one: state.attribute(first, folding.shown(one), node), [key])
    if name == "setattr" and isinstance(first, Object) and len(arguments.positional) > 2:  # noqa: PLR2004
        state.put(first, folding.shown(arguments.positional[1]), arguments.positional[2])
        return Known(state.where(node), None)
    if name == "vars" and isinstance(first, Object):
        return Table(state.where(node), tuple(state.heap.cell(first.cell).items()))
    if name == "super":
        return _parent(state, node)
    if name == "range" and len(arguments.positional) == 1:
        if isinstance(first, Known) and isinstance(first.value, int) and first.value <= 1:
            return Items(state.where(node), (Known(state.where(node), 0),) * max(first.value, 0))
        return Items(state.where(node), (Known(state.where(node), 0),), open=True)
    if name in {"enumerate", "zip"} and first is not None:
        return _rows(name, arguments.positional[:8], state, node)
    if names.last(name) in {"partial", "Thread", "submit"}:
        return _later(state, names.last(name), arguments, node)
    return None


def _copied(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    """Return the list or dict that is made of another."""
    first = arguments.get("", 0)
    if name == "dict":
        base = first if isinstance(first, Table) else Table("", (), open=first is not None)
        named = Table(state.where(node), tuple(arguments.named.items()), bool(arguments.open))
        made = containers.merged(Table(state.where(node), base.items, base.open), named, state.unknown(node))
        return containers.anew(made, state.heap.identity)
    if isinstance(first, Items) and name in {"list", "tuple"}:
        return replace(first, identity=0)
    if isinstance(first, Items) and name in {"sorted", "set"}:
        return _in_other_order(name, first, arguments, state.unknown(node))
    if first is None or not name.startswith("copy."):
        return state.unknown(node, *arguments.every())
    return containers.anew(first, state.heap.identity, 0 if name == "copy.copy" else _MOST_COPIED)


def _in_other_order(name: str, items: Items, arguments: Arguments, unknown: Value) -> Value:
    """Return what `sorted` or `set` makes of a list; open where the order or the number is not known."""
    if name == "set":
        return replace(folding.distinct(items), identity=0)
    ordered = None if arguments.named else containers.in_order(items)
    return replace(ordered or Items(items.where, (*items.items, unknown), open=True), identity=0)


def _rows(name: str, columns: list[Value], state: State, node: ast.AST) -> Value:
    """Return what a loop over `enumerate` or `zip` sees, row by row where all is known."""
    where = state.where(node)
    closed = [column.items for column in columns if isinstance(column, Items) and not column.open]
    if len(closed) != len(columns):
        return Items(where, (Items(where, tuple(state.unknown(node, column) for column in (columns * 2)[:2])),))
    rows = list(zip(*closed, strict=False))[:MOST_OPTIONS]
    if name == "enumerate":
        rows = [(Known(where, number), *row) for number, row in enumerate(rows)]
    return Items(where, tuple(Items(where, tuple(row)) for row in rows))


def _parent(state: State, node: ast.AST) -> Value:
    """Return an instance whose methods are those of the parent class."""
    function = state.frame.function
    owner = function.given[0][0] if function is not None and function.given[0] else None
    kind = state.get(owner, "__class__") if isinstance(owner, Object) else None
    if isinstance(owner, Object) and isinstance(kind, Class):
        for base in kind.bases:
            if isinstance(base, Class):
                inner = {name: value for name, value in state.heap.cell(base.cell).items() if name == "__init__"}
                held = {
                    name: Function(one.where, one.node, one.scopes, one.file, one.defaults, ((owner,), ()))
                    for name, one in inner.items()
                    if isinstance(one, Function)
                }
                return Object(state.where(node), "instance", state.heap.new(dict(held)))
    return state.unknown(node)


def _later(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    if name == "partial" and arguments.positional:
        inner = arguments.positional[0]
        if not isinstance(inner, Function):
            named = tuple(arguments.named.items())
            return Partial(state.where(node), inner, tuple(arguments.positional[1:]), named)
        positional = (*inner.given[0], *arguments.positional[1:])
        return replace(inner, given=(positional, tuple({**dict(inner.given[1]), **arguments.named}.items())))
    if name == "Thread" and "target" in arguments.named:
        given = arguments.named.get("args")
        extra = arguments.named.get("kwargs")
        return state.call(
            arguments.named["target"],
            Arguments(
                list(given.items) if isinstance(given, Items) else [],
                extra.named if isinstance(extra, Table) else {},
            ),
            node,
        )
    return None


def _fed(arguments: Arguments) -> tuple[int, ...]:
    return tuple(dict.fromkeys(result for value in arguments.every() for result in results_in(value)))


def _exported(state: State, name: str, arguments: Arguments, node: ast.AST) -> Value:
    fps = arguments.named.get("fps") or arguments.named.get("frame_rate")
    if fps is None and name in {"export_to_video", "save_video"}:
        fps = arguments.get("fps", 2)
    paths = {"output.fps": fps, "output.quality": arguments.named.get("quality")}
    if name == "export_to_gif":
        paths.pop("output.quality")
    found = {path: value for path, value in paths.items() if value is not None}
    state.exports.append(Export(name, found, _fed(arguments), state.where(node), state.usual))
    return state.unknown(node, *arguments.every())


def export_method(state: State, name: str, owner: Value, node: ast.AST) -> None:
    """Note that something that came out of a pipeline is saved by a method of its own."""
    results = results_in(owner)
    if name in _IMAGE_SAVES and results:
        state.exports.append(Export(name, {}, results, state.where(node), state.usual))


def suspect(state: State, name: str, arguments: Arguments, node: ast.AST) -> None:
    """Note a call whose name gives away that it changes the frames or the prompt."""
    words = f"{name} {state.words(node.func) if isinstance(node, ast.Call) else ''}"
    if names.INTERPOLATION.search(words):
        state.note("frame interpolation", node)
    elif names.REWRITING.search(words):
        state.note("prompt rewriting", node)
    elif names.UPSCALING.search(words):
        state.note("upscaling", node)
    elif names.CACHING.search(words):
        state.note("caching", node)
    elif names.last(name) in {"interpolate", "resize"} and _fed(arguments):
        state.note("resizing", node)
