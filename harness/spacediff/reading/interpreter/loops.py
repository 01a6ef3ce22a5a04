"""Loops: the body is followed once, for all of its rounds.

The key insight is that one round tells all unless a value is carried from one round to the next: what the body reads
before it sets it is therefore unknown in the body, but for the first round, and after it.
"""

from __future__ import annotations

import ast
from abc import ABC
from collections.abc import Iterator, Sequence
from functools import partial

from spacediff.reading.interpreter.expressions import Expressions
from spacediff.reading.interpreter.heap import Heap
from spacediff.reading.values import containers
from spacediff.reading.values.kinds import Absent, Asked, Either, Function, Items, Known, Value, either, truth

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
        if once:
            ends = self._round(node, element)
        else:
            self.floors.append(self.heap.identity())
            self.touched.append(set())
            try:
                ends = self._rounds(node, element, targets)
            finally:
                self.floors.pop()
                inner = self.touched.pop()
                if self.touched:
                    self.touched[-1] |= inner
        if not self._joined_ends(ends if sure else [*ends, before], node):
            return False
        for target in targets:
            self.assign(target, self._after(self.evaluate(target), node))
        return self.run(node.orelse)

    def _rounds(
        self, node: ast.For | ast.AsyncFor | ast.While, element: Value | None, targets: Sequence[ast.expr]
    ) -> list[Heap]:
        """Follow the body for all rounds: once more as long as a round leaves other lists and dicts than it found."""
        start, records, unknown = self.heap, self.records, self.unknown(node)
        counts = [len(record) for record in records]
        spoiled: set[int] = set()
        while True:
            self.heap = start.fork()
            ends = self._round(node, element)
            touched = {identity for identity in self.touched[-1] if identity < self.floors[-1]} - spoiled
            others = self._also_named(targets, start, ends) - spoiled
            if not (touched or others) or not ends:
                return ends
            for record, count in zip(records, counts, strict=True):
                del record[count:]
            left: dict[int, list[Value]] = {}
            for value in (value for heap in ends for value in heap.held(touched)):
                left.setdefault(value.identity, []).append(value)
            start.change(touched - others, partial(containers.in_any_round, left=left, unknown=unknown))
            start.change(others, partial(containers.spoiled, unknown=unknown))
            spoiled |= touched | others

    def _also_named(self, targets: Sequence[ast.expr], start: Heap, ends: Sequence[Heap]) -> set[int]:
        """Return the lists and dicts that a round hands on to the next under names through which it changes others."""
        found: set[int] = set()
        for target in targets:
            each: list[set[int]] = []
            for self.heap in (start, *ends):
                each.append(containers.identities([self.evaluate(target)]))
            if each[0] & self.touched[-1]:
                found |= set().union(*each[1:]) - each[0]
        return {identity for identity in found if identity < self.floors[-1]}

    def _round(self, node: ast.For | ast.AsyncFor | ast.While, element: Value | None) -> list[Heap]:
        """Follow the body once; return the states in which it is left."""
        outer, self.frame.rounds = self.frame.rounds, []
        try:
            if element is not None and isinstance(node, ast.For | ast.AsyncFor):
                self.assign(node.target, element)
            ends = [self.heap] if self.run(node.body) else []
            return ends + [heap for heap in self.frame.rounds if heap not in ends]
        finally:
            self.frame.rounds = outer

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
        """Return the names of others that a function reads or sets, as events, the last one first."""
        parts = list(ast.walk(node))
        shared = {name for one in parts if isinstance(one, ast.Global | ast.Nonlocal) for name in one.names}
        own = {one.arg for one in parts if isinstance(one, ast.arg)}
        own |= {one.id for one in parts if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)}
        read = {one.id for one in parts if isinstance(one, ast.Name)} - (own - shared)
        return [*((name, True) for name in sorted(shared)), *((name, False) for name in sorted(read | shared))]


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
