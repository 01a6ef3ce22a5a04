"""Statements, followed in order by the kind of their node."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from spacediff.reading.interpreter import assignments, blocks, branches, definitions, effects, loops
from spacediff.reading.interpreter.assignments import scope_of
from spacediff.reading.interpreter.budget import TooDeepError, TooMuchError
from spacediff.reading.interpreter.heap import Heap
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import Attribute, External, Known, Object, last_part

_SHARE = 0.75
"""The fraction of the remaining steps that one statement may spend."""
_MOST_SHARED = 8
"""Nesting of the statements that have a share; those inside them spend from it together."""


def run(state: State, body: Sequence[ast.stmt]) -> bool:
    """Follow statements; return whether their end is reached. Statements nested too deeply are passed over."""
    for statement in body:
        try:
            state.enter()
        except TooDeepError:
            continue
        try:
            handler = STATEMENTS.get(type(statement))
            if handler is None:
                continue
            state.frame.statement = statement
            follow = _with_share if state.depth <= _MOST_SHARED else _alone
            if follow(state, statement, handler) is False:
                return False
        finally:
            state.leave()
    return True


_Handler = Callable[[State, Any], bool | None]


def _alone(state: State, statement: ast.stmt, handler: _Handler) -> bool | None:
    return handler(state, statement)


def _with_share(state: State, statement: ast.stmt, handler: _Handler) -> bool | None:
    """Follow a statement with a share of the remaining steps; what it would have done beyond them is unknown."""
    heap = state.heap
    try:
        with state.budget.share(_SHARE):
            return handler(state, statement)
    except TooMuchError:
        if state.budget.is_spent:
            raise
        _leave_unfinished(state, statement, heap)
        return True


def _leave_unfinished(state: State, statement: ast.stmt, heap: Heap) -> None:
    """Go on after a statement that was followed in part: from its beginning or from where it was left."""
    state.cut(statement)
    left, state.heap = state.heap, heap
    if left is not heap:
        heap.join(left, state.where(statement), decided=False)
    parts = list(ast.walk(statement))
    state.budget.spend(len(parts) // 16)
    for name in {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}:
        effects.make_unknown(state, scope_of(state, name), statement, {name})


_EXITS = frozenset({"sys.exit", "exit", "quit", "os._exit", "os.abort", "st.stop", "streamlit.stop"})
_EXITS_OF_PARSERS = frozenset({"error", "exit"})
_NAMES_OF_EXITS = {last_part(name) for name in _EXITS} | _EXITS_OF_PARSERS


def _expression(state: State, node: ast.Expr) -> bool:
    value = node.value
    state.evaluate(value)
    return not (isinstance(value, ast.Call) and _ends_the_program(state, value.func))


def _ends_the_program(state: State, function: ast.expr) -> bool:
    if not isinstance(function, ast.Name | ast.Attribute) or last_part(ast.unparse(function)) not in _NAMES_OF_EXITS:
        return False
    called = state.evaluate(function)
    if isinstance(called, Attribute):
        return isinstance(called.owner, Object) and called.owner.kind == "parser" and called.name in _EXITS_OF_PARSERS
    return isinstance(called, External) and called.name in _EXITS


def _assign(state: State, node: ast.Assign) -> None:
    value = state.evaluate(node.value)
    for target in node.targets:
        state.assign(target, value)


def _annotated_assign(state: State, node: ast.AnnAssign) -> None:
    if node.value is not None:
        state.assign(node.target, state.evaluate(node.value))


def _global(state: State, node: ast.Global) -> None:
    state.frame.globals_.update(node.names)


def _nonlocal(state: State, node: ast.Nonlocal) -> None:
    state.frame.nonlocals.update(node.names)


def _return(state: State, node: ast.Return) -> bool:
    value = state.evaluate(node.value) if node.value else Known(state.where(node), None)
    state.frame.returns.append(state.end(value))
    return False


def _raise(state: State, node: ast.Raise) -> bool:
    state.evaluate(node.exc)
    return False


STATEMENTS: dict[type[ast.stmt], _Handler] = {
    ast.AnnAssign: _annotated_assign,
    ast.Assign: _assign,
    ast.AsyncFor: loops.follow_for,
    ast.AsyncFunctionDef: definitions.define_function,
    ast.AsyncWith: blocks.follow_with,
    ast.AugAssign: assignments.augmented_assign,
    ast.Break: loops.leave_iteration,
    ast.ClassDef: definitions.define_class,
    ast.Continue: loops.leave_iteration,
    ast.Delete: assignments.delete,
    ast.Expr: _expression,
    ast.For: loops.follow_for,
    ast.FunctionDef: definitions.define_function,
    ast.Global: _global,
    ast.If: branches.follow_if,
    ast.Import: definitions.follow_import,
    ast.ImportFrom: definitions.follow_import_from,
    ast.Match: branches.follow_match,
    ast.Nonlocal: _nonlocal,
    ast.Raise: _raise,
    ast.Return: _return,
    ast.Try: branches.follow_try,
    ast.TryStar: branches.follow_try,
    ast.While: loops.follow_while,
    ast.With: blocks.follow_with,
}
"""Kind of statement to what follows it: False means that its end is not reached. Other kinds do nothing."""
