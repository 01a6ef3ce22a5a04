"""Loops: the body is followed once, for all of its rounds.

The key insight is that one round tells all unless a value is carried from one round to the next: what the body reads
before it sets it is therefore unknown in the body, but for the first round, and after it.
"""

from __future__ import annotations

import ast
from abc import ABC
from collections.abc import Iterator, Sequence

from harness.reading.expressions import Expressions
from harness.reading.heap import Heap
from harness.reading.values import Absent, Asked, Either, Function, Items, Known, Value, either, truth

_MOST_NODES = 20_000
_Event = tuple[str, bool]
"""What is read or set, and whether it is set."""


class Loops(Expressions, ABC):
    """Follows loops, and what ends a round of one."""

    def _do_for(self, node: ast.For | ast.AsyncFor) -> bool:
        values = self.evaluate(node.iter)
        known = isinstance(values, Items) and bool(values.items)
        if isinstance(values, Items) and not values.items and not values.open:
            return self.run(node.orelse)
        once = isinstance(values, Items) and len(values.items) == 1 and not values.open
        return self._loop(node, self.element(values, node.iter), once=once, sure=known)

    _do_asyncfor = _do_for

    def _do_while(self, node: ast.While) -> bool:
        held = truth(self.evaluate(node.test))
        if held.certain is False:
            return self.run(node.orelse)
        return self._loop(node, None, once=False, sure=held.certain is True)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, element: Value | None, *, once: bool, sure: bool) -> bool:
        """Follow a loop's body; `once`: it has one round, `sure`: it has at least one."""
        before = self.heap
        self.heap = before.fork()
        targets = [] if once else self._carried(node)
        for target in targets:
            self.assign(target, either([self.evaluate(target), self.unknown(node)], self.where(node)))
        if not once:
            self.floors.append(self.heap.identity())
        outer, self.frame.rounds = self.frame.rounds, []
        try:
            if element is not None and isinstance(node, ast.For | ast.AsyncFor):
                self.assign(node.target, element)
            ends = [self.heap] if self.run(node.body) else []
            ends += [heap for heap in self.frame.rounds if heap not in ends]
        finally:
            self.frame.rounds = outer
            if not once:
                self.floors.pop()
        if not self._joined_ends(ends if sure else [*ends, before], node):
            return False
        for target in targets:
            self.assign(target, self._after(self.evaluate(target), node))
        return self.run(node.orelse)

    def _joined_ends(self, ends: list[Heap], node: ast.AST) -> bool:
        for number, heap in enumerate(ends):
            if number == 0:
                self.heap = heap
            else:
                self.heap.join(heap, self.where(node), decided=False)
        return bool(ends)

    def _after(self, value: Value, node: ast.AST) -> Value:
        """Return what a carried value is after all rounds: no constant that one round gave."""
        options = value.options if isinstance(value, Either) else (value,)
        kept = [option for option in options if not isinstance(option, Known | Asked | Absent)]
        return either([*kept, self.unknown(node, value)], self.where(node))

    def _do_break(self, _: ast.Break) -> bool:
        self.frame.rounds.append(self.heap)
        return False

    _do_continue = _do_break

    def _carried(self, node: ast.For | ast.AsyncFor | ast.While) -> list[ast.expr]:
        """Return what a loop's body reads before it sets it, in itself or in a function of the file that it calls."""
        start: list[ast.AST] = [node.test] if isinstance(node, ast.While) else []
        first: dict[str, bool] = {}
        is_set: set[str] = set()
        for name, sets in self._events([*start, *node.body]):
            first.setdefault(name, sets)
            if sets:
                is_set.add(name)
        target = None if isinstance(node, ast.While) else node.target
        own = {one.id for one in ast.walk(target) if isinstance(one, ast.Name)} if target is not None else set()
        names = [name for name, sets in first.items() if not sets and name in is_set and name not in own]
        made = [ast.parse(name, mode="eval").body for name in names]
        found = [one for one in made if self._is_there(one)]
        return [_placed(one, node) for one in found]

    def _is_there(self, target: ast.expr) -> bool:
        owner = target.value if isinstance(target, ast.Attribute | ast.Subscript) else target
        return isinstance(owner, ast.Name) and self.look_up(owner.id) is not None

    def _events(self, body: Sequence[ast.AST]) -> Iterator[_Event]:
        """Yield what is read and set, roughly in the order of Python."""
        seen: set[int] = set()
        waiting: list[ast.AST | _Event] = list(reversed(body))
        for _ in range(_MOST_NODES):
            if not waiting:
                return
            one = waiting.pop()
            if isinstance(one, tuple):
                yield one
                continue
            called = self.look_up(one.func.id) if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) else None
            if isinstance(called, Function) and id(called.node) not in seen:
                seen.add(id(called.node))
                waiting += self._of_function(called.node)
            waiting += reversed(_steps(one))

    @staticmethod
    def _of_function(node: ast.AST) -> list[_Event]:
        """Return the globals that a function both reads and sets, as events, the last one first."""
        names = {name for one in ast.walk(node) if isinstance(one, ast.Global | ast.Nonlocal) for name in one.names}
        return [event for name in sorted(names) for event in ((name, True), (name, False))]


def _steps(node: ast.AST) -> list[ast.AST | _Event]:
    """Return what happens in a node, in order: its parts, and what it reads or sets itself."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        return []
    if isinstance(node, ast.Assign):
        return [node.value, *node.targets]
    if isinstance(node, ast.AugAssign):
        name = _name(node.target)
        return [*([(name, False)] if name else []), node.value, node.target]
    if isinstance(node, ast.AnnAssign | ast.NamedExpr):
        return [*([node.value] if node.value is not None else []), node.target]
    if isinstance(node, ast.For | ast.AsyncFor):
        return [node.iter, node.target, *node.body, *node.orelse]
    name = _name(node)
    event: list[ast.AST | _Event] = [(name, not isinstance(getattr(node, "ctx", None), ast.Load))] if name else []
    return [*ast.iter_child_nodes(node), *event]


def _name(node: ast.AST) -> str:
    """Return a name, an attribute of one or a constant item of one as its text; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if not isinstance(node, ast.Attribute | ast.Subscript) or not isinstance(node.value, ast.Name):
        return ""
    if isinstance(node, ast.Attribute):
        return f"{node.value.id}.{node.attr}"
    return f"{node.value.id}[{node.slice.value!r}]" if isinstance(node.slice, ast.Constant) else ""


def _placed(target: ast.expr, node: ast.AST) -> ast.expr:
    for part in ast.walk(target):
        ast.copy_location(part, node)
    return target
