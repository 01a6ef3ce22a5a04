"""What a loop carries from one iteration to the next: names and items that its body reads before it sets them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from spacediff.reading.interpreter.state import State
from spacediff.reading.values import Function

_MOST_NODES = 20_000
"""Nodes of a body that are looked at."""

_Event = tuple[str, bool]
"""A dotted name, and whether it is set (otherwise it is read)."""


def carried_over(state: State, node: ast.For | ast.AsyncFor | ast.While) -> list[ast.expr]:
    """Return what the body of a loop, with the functions that it calls by name, reads before it sets it."""
    start: list[ast.AST] = [node.test] if isinstance(node, ast.While) else []
    first: dict[str, bool] = {}
    is_set: set[str] = set()
    for name, sets in _reads_and_writes(state, [*start, *node.body]):
        first.setdefault(name, sets)
        if sets:
            is_set.add(name)
    target = None if isinstance(node, ast.While) else node.target
    own = {one.id for one in ast.walk(target) if isinstance(one, ast.Name)} if target is not None else set()
    names = [name for name, sets in first.items() if not sets and name in is_set and name not in own]
    made = [ast.parse(name, mode="eval").body for name in names]
    found = [one for one in made if _has_value(state, one)]
    return [_at_line_of(one, node) for one in found]


def _has_value(state: State, target: ast.expr) -> bool:
    owner = target.value if isinstance(target, ast.Attribute | ast.Subscript) else target
    return isinstance(owner, ast.Name) and state.look_up(owner.id) is not None


def _reads_and_writes(state: State, body: Sequence[ast.AST]) -> Iterator[_Event]:
    """Yield what is read and set, roughly in the order of execution."""
    seen: set[int] = set()
    waiting: list[ast.AST | _Event] = list(reversed(body))
    for _ in range(_MOST_NODES):
        if not waiting:
            return
        one = waiting.pop()
        if isinstance(one, tuple):
            yield one
            continue
        called = state.look_up(one.func.id) if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) else None
        if isinstance(called, Function) and id(called.node) not in seen:
            seen.add(id(called.node))
            waiting += _reads_and_writes_of_function(called.node)
        waiting += reversed(_steps_of(one))


def _reads_and_writes_of_function(node: ast.AST) -> list[_Event]:
    """Return the names outside a function that it reads or sets, the last one first."""
    parts = list(ast.walk(node))
    shared = {name for one in parts if isinstance(one, ast.Global | ast.Nonlocal) for name in one.names}
    own = {one.arg for one in parts if isinstance(one, ast.arg)}
    own |= {one.id for one in parts if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)}
    read = {one.id for one in parts if isinstance(one, ast.Name)} - (own - shared)
    return [*((name, True) for name in sorted(shared)), *((name, False) for name in sorted(read | shared))]


def _steps_of(node: ast.AST) -> list[ast.AST | _Event]:
    """Return what a node executes, in order: its parts, and what it reads or sets itself."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        return []
    if isinstance(node, ast.Assign):
        return [node.value, *node.targets]
    if isinstance(node, ast.AugAssign):
        name = _dotted(node.target)
        return [*([(name, False)] if name else []), node.value, node.target]
    if isinstance(node, ast.AnnAssign | ast.NamedExpr):
        return [*([node.value] if node.value is not None else []), node.target]
    if isinstance(node, ast.For | ast.AsyncFor):
        return [node.iter, node.target, *node.body, *node.orelse]
    name = _dotted(node)
    event: list[ast.AST | _Event] = [(name, not isinstance(getattr(node, "ctx", None), ast.Load))] if name else []
    return [*ast.iter_child_nodes(node), *event]


def _dotted(node: ast.AST) -> str:
    """Return `name`, `name.attribute` or `name[constant]` as text; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if not isinstance(node, ast.Attribute | ast.Subscript) or not isinstance(node.value, ast.Name):
        return ""
    if isinstance(node, ast.Attribute):
        return f"{node.value.id}.{node.attr}"
    return f"{node.value.id}[{node.slice.value!r}]" if isinstance(node.slice, ast.Constant) else ""


def _at_line_of(target: ast.expr, node: ast.AST) -> ast.expr:
    for part in ast.walk(target):
        ast.copy_location(part, node)
    return target
