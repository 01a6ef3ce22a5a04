"""`with` blocks: what a context manager does before its block, and what it does after it.

The key insight is that a function with `@contextmanager` is followed once, and its block at its `yield`: so what it
switches on holds inside the block, and what it switches off afterwards does not.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import partial

from spacediff.reading.interpreter.calls import arguments_of
from spacediff.reading.interpreter.functions import follow_function
from spacediff.reading.interpreter.instances import entered_context
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import Absent, Function, Value, last_part

_MAKERS = frozenset({"contextmanager", "asynccontextmanager"})


def follow_with(state: State, node: ast.With | ast.AsyncWith) -> bool:
    """Follow a block; what its context managers switch on for the whole process is off again after it."""
    before = dict(state.heap.cell(state.process_wide))
    ends = len(state.frame.returns)
    switched: dict[str, Value | None] = {}

    def block() -> bool:
        inside = state.heap.cell(state.process_wide)
        switched.update({name: before.get(name) for name, value in inside.items() if value is not before.get(name)})
        return state.run(node.body)

    reached = _follow_items(state, node, node.items, block)
    heaps = {id(heap): heap for heap in (state.heap, *(end.heap for end in state.frame.returns[ends:]))}
    for heap in heaps.values():
        for name, former in switched.items():
            heap.put(state.process_wide, name, former or Absent(state.where(node)))
    return reached


def _follow_items(
    state: State, node: ast.With | ast.AsyncWith, items: Sequence[ast.withitem], block: Callable[[], bool]
) -> bool:
    """Enter the context managers in order, then follow the block inside all of them."""
    if not items:
        return block()
    item, rest = items[0], items[1:]
    call = item.context_expr
    function = state.evaluate(call.func) if isinstance(call, ast.Call) else None
    if isinstance(call, ast.Call) and isinstance(function, Function) and _makes_context(function):
        inner = partial(_follow_items, state, node, rest, block)
        return _follow_inside(state, item, function, call, inner)
    entered = entered_context(state, state.evaluate(call), node)
    if item.optional_vars is not None:
        state.assign(item.optional_vars, entered)
    return _follow_items(state, node, rest, block)


def _makes_context(function: Function) -> bool:
    """Return whether a function of the source is a context manager that yields once."""
    decorators = getattr(function.node, "decorator_list", [])
    return any(
        last_part(ast.unparse(one)) in _MAKERS for one in decorators if isinstance(one, ast.Name | ast.Attribute)
    )


def _follow_inside(
    state: State, item: ast.withitem, function: Function, call: ast.Call, block: Callable[[], bool]
) -> bool:
    """Follow a context manager of the source, and the block at its `yield`; return whether its end is reached."""
    outer = state.frame
    reached: list[bool] = []

    def at_yield(value: Value) -> None:
        state.frames.append(outer)
        try:
            if item.optional_vars is not None:
                state.assign(item.optional_vars, value)
            reached.append(block())
        finally:
            state.frames.pop()

    follow_function(state, function, arguments_of(state, call), call, at_yield)
    return reached[0] if reached else block()
