"""Branches: each side is followed on a copy of the heap, and the heaps that they leave are joined."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from spacediff.reading.interpreter import patterns
from spacediff.reading.interpreter.heap import Heap
from spacediff.reading.interpreter.records import Condition, usual_of, words_of
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import (
    External,
    Known,
    Object,
    Truth,
    Value,
    all_of,
    any_of,
    either,
    negated,
    opposite,
    truth,
)

_ERROR = "an error is raised"
_MOST_ENDS = 8
"""Ends of a `try` for which its `finally` is followed."""


_Body = Callable[[], bool]
"""Follows one side of a branch; returns whether its end is reached."""


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a branch: its condition, and what follows it."""

    condition: Condition
    follow: _Body


@dataclass(frozen=True, slots=True)
class _Followed:
    """What was found on one side of a branch.

    Attributes:
        condition: The condition for it.
        heap: The heap that it leaves; None if its end is not reached.
        leaves: Whether it leaves the function or the iteration; an error does not count.
        calls: Whether it calls a pipeline.
        exits: The conditions for reaching its end, because some of it leaves earlier.
    """

    condition: Condition
    heap: Heap | None
    leaves: bool
    calls: bool
    exits: tuple[Condition, ...]


def follow_if(state: State, node: ast.If) -> bool:
    """Follow the side that is certain, otherwise both."""
    condition = truth(state.evaluate(node.test))
    if condition.certain is not None:
        return state.run(node.body if condition.certain else node.orelse)
    words = state.words(node.test)
    sides = _sides(
        condition,
        words,
        lambda: _run_knowing(state, node.test, node.body, holds=True),
        lambda: _run_knowing(state, node.test, node.orelse, holds=False),
    )
    return _branch(state, sides, node)


def _run_knowing(state: State, test: ast.expr, body: Sequence[ast.stmt], *, holds: bool) -> bool:
    """Follow one side of a condition, which shows the class of a scheduler that `isinstance` asks about."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _run_knowing(state, inner, body, holds=not holds)
        case ast.Call(func=ast.Name(id="isinstance"), args=[target, made]) if holds:
            _note_class(state, target, state.evaluate(made))
    return state.run(body)


def _note_class(state: State, target: ast.expr, made: Value) -> None:
    owner = state.evaluate(target)
    if isinstance(owner, Object) and owner.kind == "scheduler" and isinstance(made, External):
        known = {"class": Known(made.where, made.last_name), **state.heap.cell(owner.cell)}
        state.assign(target, Object(owner.where, owner.kind, state.heap.new(known)))


def _sides(answer: Truth, words: str, body: _Body, otherwise: _Body) -> list[_Side]:
    """Return the two sides of a condition, the usual one first."""
    first = _Side(Condition(words, answer.usual), body)
    second = _Side(Condition(opposite(words), negated(answer).usual), otherwise)
    return [second, first] if answer.usual is False else [first, second]


def _branch(state: State, sides: list[_Side], node: ast.AST) -> bool:
    """Follow both sides of a branch, and join the heaps that they leave; return whether its end is reached."""
    before = state.heap
    each = [_follow_side(state, side, before) for side in sides]
    reached = [one for one in each if one.heap is not None]
    if not reached:
        state.heap = before
        return False
    _join(state, reached, node)
    state.conditions.extend(_conditions_after(each))
    return True


def _join(state: State, reached: list[_Followed], node: ast.AST) -> None:
    for number, one in enumerate(reached):
        if one.heap is None:
            continue
        if number == 0:
            state.heap = one.heap
        else:
            words = [reached[0].condition.text, one.condition.text]
            state.heap.join(one.heap, state.where(node), decided=reached[0].condition.usual is True, only_if=words)


def _follow_side(state: State, side: _Side, before: Heap) -> _Followed:
    count = len(state.conditions)
    left, calls = (len(state.frame.returns), len(state.frame.iterations)), len(state.calls)
    state.heap = before.fork()
    state.conditions.append(side.condition)
    try:
        reached = side.follow()
        exits = tuple(state.conditions[count + 1 :])
    finally:
        del state.conditions[count:]
    leaves = (len(state.frame.returns), len(state.frame.iterations)) > left
    return _Followed(side.condition, state.heap if reached else None, leaves, len(state.calls) > calls, exits)


def _conditions_after(sides: list[_Followed]) -> list[Condition]:
    """Return the conditions for what follows a branch: of its sides, some may leave the function or the iteration.

    A side that raises an error adds none: whoever wants a result gives what is asked for. Nor does one that the default
    inputs do not lead to, unless it calls a pipeline.
    """
    reached = [side for side in sides if side.heap is not None]
    if len(reached) == 1:
        only = reached[0]
        left = [side for side in sides if side.leaves and side is not only]
        matters = left and (only.condition.usual is not True or any(side.calls for side in left))
        return [*([only.condition] if matters else []), *only.exits]
    if not any(side.exits for side in reached):
        return []
    text, usual = "", {usual_of(side.exits) for side in reached if side.condition.usual is not False}
    for side in reached:
        words = all_of(side.condition.text, words_of(side.exits))
        text = any_of(text, words) if text else words
    return [Condition(text, usual.pop() if len(usual) == 1 else None)]


def follow_match(state: State, node: ast.Match) -> bool:
    """Follow every case; the names that a pattern binds keep their old value as an alternative."""
    subject = state.evaluate(node.subject)
    return _follow_cases(state, node, subject, node.cases)


def _follow_cases(state: State, node: ast.Match, subject: Value, cases: Sequence[ast.match_case]) -> bool:
    """Follow the first of some cases, and the others if it does not match."""
    if not cases:
        return True
    case, rest = cases[0], cases[1:]
    answer = patterns.matches(state, case, subject)
    if answer.certain is False:
        return _follow_cases(state, node, subject, rest)

    def body() -> bool:
        patterns.bind(state, case.pattern, subject)
        return state.run(case.body)

    if answer.certain is True:
        return body()
    words = patterns.words(state, node.subject, case)
    sides = _sides(answer, words, body, lambda: _follow_cases(state, node, subject, rest))
    return _branch(state, sides, node)


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


def _import_one_of(state: State, body: _Body, handler: Sequence[ast.stmt], node: ast.AST) -> bool:
    """Follow imports; a class that is another one without the imported package is either of them."""
    before = state.heap
    state.heap = before.fork()
    scope, conditions = state.frame.scopes[0], len(state.conditions)
    handled = state.run(handler)
    del state.conditions[conditions:]
    instead = state.heap.cell(scope)
    state.heap = before
    reached = body()
    found = state.heap.cell(scope)
    for name, other in list(instead.items()) if handled else []:
        ours = found.get(name)
        if isinstance(ours, External) and isinstance(other, External) and ours.last_name != other.last_name:
            only_if = [f"{ours.package} is installed", f"{ours.package} is not installed"]
            state.heap.put(scope, name, either([ours, other], state.where(node), only_if=only_if))
    return reached


def _try_body(state: State, node: ast.Try | ast.TryStar) -> bool:
    imports = all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in node.body)
    continuing = [handler.body for handler in node.handlers if not _only_reports(handler.body)]
    if not continuing and any(isinstance(part, ast.Return) for statement in node.body for part in ast.walk(statement)):
        continuing = [handler.body for handler in node.handlers]  # an error leads to what follows the `return`

    def body() -> bool:
        return state.run(node.body) and state.run(node.orelse)

    if imports and continuing:
        return _import_one_of(state, body, continuing[0], node)
    if imports or not continuing:
        return body()
    sides = [_Side(Condition("", usual=True), body)]
    sides += [_Side(Condition(_ERROR, usual=False), partial(state.run, handler)) for handler in continuing]
    return _branch(state, sides, node)


def _only_reports(body: list[ast.stmt]) -> bool:
    """Return whether a handler only reports an error: it ends in `raise`, or has nothing but expressions."""
    if body and isinstance(body[-1], ast.Raise | ast.Continue | ast.Pass):
        return True
    calls = [statement for statement in body if isinstance(statement, ast.Expr)]
    return len(calls) == len(body)
