"""Patterns of `match`: whether one fits a value, and the names that it binds."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from spacediff.reading.interpreter.assignments import scope_of
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import Truth, Value, constants, lift, truth


def matches(state: State, case: ast.match_case, subject: Value) -> Truth:
    """Return whether a case of a `match` fits a value; other patterns than constants and names are unknown."""
    answer = _fits(state, case.pattern, subject)
    if case.guard is None or answer.certain is False:
        return answer
    return Truth(None, False if answer.usual is False else None)


def _fits(state: State, pattern: ast.pattern, subject: Value) -> Truth:
    if isinstance(pattern, ast.MatchAs):
        return Truth(certain=True, usual=True) if pattern.pattern is None else _fits(state, pattern.pattern, subject)
    if isinstance(pattern, ast.MatchOr):
        each = [_fits(state, one, subject) for one in pattern.patterns]
        return Truth(_any(one.certain for one in each), _any(one.usual for one in each))
    if not isinstance(pattern, ast.MatchValue):
        return Truth(None, None)
    wanted = state.evaluate(pattern.value)
    unknown = state.unknown(pattern)
    return truth(lift(lambda one, other: constants.compared([ast.Eq()], [one, other], unknown), [subject, wanted]))


def _any(answers: Iterable[bool | None]) -> bool | None:
    each = list(answers)
    return True if True in each else None if None in each else False


def bind(state: State, pattern: ast.pattern, subject: Value) -> None:
    """Bind the names of a pattern that fits."""
    parts = list(ast.walk(pattern))
    state.budget.spend_on_looks(len(parts))
    for part in parts:
        name = part.rest if isinstance(part, ast.MatchMapping) else getattr(part, "name", None)
        if isinstance(name, str):
            whole = part is pattern and isinstance(part, ast.MatchAs)
            state.heap.put(scope_of(state, name), name, subject if whole else state.unknown(part, subject))


def words(state: State, subject: ast.expr, case: ast.match_case) -> str:
    """Return the condition for a case as text."""
    pattern = ast.unparse(case.pattern)
    guard = f" and {state.words(case.guard)}" if case.guard is not None else ""
    return f"{state.words(subject)} matches {pattern}{guard}"[:160]
