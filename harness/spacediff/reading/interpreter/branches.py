"""Branches: each side is followed on a copy of the heap, and the heaps that they leave are joined."""

from __future__ import annotations

import ast
from collections.abc import Callable

from spacediff.reading.interpreter.assignments import scope_of
from spacediff.reading.interpreter.heap import Heap
from spacediff.reading.interpreter.records import Condition
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    Truth,
    either,
    opposite,
    truth,
)

_MOST_ENDS = 8
"""Ends of a `try` for which its `finally` is followed."""


_Side = Callable[[], bool]
"""Follows one side of a branch; returns whether its end is reached."""


def follow_if(state: State, node: ast.If) -> bool:
    """Follow the side that is certain, otherwise both."""
    condition = truth(state.evaluate(node.test))
    if condition.certain is not None:
        return state.run(node.body if condition.certain else node.orelse)
    words = state.words(node.test)
    return _branch(state, (condition, words), node, lambda: state.run(node.body), lambda: state.run(node.orelse))


def _branch(state: State, condition: tuple[Truth, str], node: ast.AST, body: _Side, otherwise: _Side) -> bool:
    """Follow both sides of a condition, given by its truth and its text, and join the heaps that they leave."""
    answer, words = condition
    sides = [(body, words, True), (otherwise, opposite(words), False)]
    if answer.usual is False:
        sides.reverse()  # the usual side is the first of its alternatives
    before = state.heap
    reached: list[Heap] = []
    only_if: list[str] = []
    for follow, text, side in sides:
        state.heap = before.fork()
        state.conditions.append(Condition(text, None if answer.usual is None else answer.usual is side))
        try:
            if follow():
                reached.append(state.heap)
                only_if.append(text)
        finally:
            state.conditions.pop()
    state.heap = reached[0] if reached else before
    if len(reached) > 1:
        state.heap.join(reached[1], state.where(node), decided=answer.usual is not None, only_if=only_if)
    return bool(reached)


def follow_match(state: State, node: ast.Match) -> bool:
    """Follow every case; the names that a pattern binds keep their old value as an alternative."""
    subject = state.evaluate(node.subject)
    for case in node.cases:
        for part in ast.walk(case.pattern):
            name = part.rest if isinstance(part, ast.MatchMapping) else getattr(part, "name", None)
            if isinstance(name, str):
                previous = state.look_up(name)
                kept = [previous] if previous is not None else []
                options = [*kept, state.unknown(part, subject)]
                state.heap.put(scope_of(state, name), name, either(options, state.where(part)))
    last = node.cases[-1]
    complete = last.guard is None and isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
    return _any_of(state, [*(case.body for case in node.cases), *([] if complete else [[]])], node, "match")


def _any_of(state: State, bodies: list[list[ast.stmt]], node: ast.AST, words: str) -> bool:
    """Follow several bodies of which one is executed."""
    if not bodies:
        return True
    if len(bodies) == 1:
        return _branch(state, (Truth(None, None), words), node, lambda: state.run(bodies[0]), lambda: True)
    rest = bodies[1:]
    follow_rest = (lambda: state.run(rest[0])) if len(rest) == 1 else (lambda: _any_of(state, rest, node, words))
    return _branch(state, (Truth(None, None), words), node, lambda: state.run(bodies[0]), follow_rest)


def follow_try(state: State, node: ast.Try | ast.TryStar) -> bool:
    """Follow the body, the handlers that go on, and `finally` after each end."""
    before = len(state.frame.returns)
    reached = _try_body(state, node)
    ends = state.frame.returns[before:]
    here, after = state.heap, len(state.frame.returns)
    for end in ends[:_MOST_ENDS] if node.finalbody else []:
        if end.heap is not here:
            state.heap = end.heap
            state.run(node.finalbody)
    state.heap = here
    del state.frame.returns[after:]
    if state.run(node.finalbody):
        return reached
    if len(state.frame.returns) > after:
        del state.frame.returns[before:after]  # a `return` in `finally` replaces the earlier ones
    return False


def _try_body(state: State, node: ast.Try | ast.TryStar) -> bool:
    imports = all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in node.body)
    returning = [handler.body for handler in node.handlers if not _only_reports(handler.body)]
    if imports or not returning:
        return state.run(node.body) and state.run(node.orelse)
    return _branch(
        state,
        (Truth(certain=None, usual=True), "no error"),
        node,
        lambda: state.run(node.body) and state.run(node.orelse),
        lambda: _any_of(state, returning, node, "error"),
    )


def _only_reports(body: list[ast.stmt]) -> bool:
    """Return whether a handler only reports an error: it ends in `raise`, or has nothing but expressions."""
    if body and isinstance(body[-1], ast.Raise | ast.Continue | ast.Pass):
        return True
    calls = [statement for statement in body if isinstance(statement, ast.Expr)]
    return len(calls) == len(body)
