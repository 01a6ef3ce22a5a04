"""The heap: cells that map names to values, for scopes and objects; branches fork it and join it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence

from spacediff.reading.interpreter.budget import Budget
from spacediff.reading.values import Absent, Items, Table, Value, either
from spacediff.reading.values.identity import Change, Places, occurrences

_NAMES_PER_STEP = 64
"""Names of a cell, or cells of a heap, that are copied or compared in the time of one step."""
_STEPS_PER_JOIN = 3
"""The time in steps for the alternatives of one name where two branches meet."""


class Heap:
    """Cells of scopes and objects. A fork is cheap: cells are shared until one side writes to them."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._cells: dict[int, dict[str, Value]] = {}
        self._owned: set[int] = set()
        self._numbers = itertools.count()
        self._places = Places()

    def new(self, values: dict[str, Value] | None = None) -> int:
        """Return the number of a new cell."""
        number = next(self._numbers)
        self._cells[number] = dict(values or {})
        self._owned.add(number)
        self._budget.spend(len(self._cells[number]) // _NAMES_PER_STEP)
        for name, value in self._cells[number].items():
            self._remember(number, name, value)
        return number

    def _remember(self, number: int, name: str, value: Value) -> None:
        """Remember which lists and dicts are found under a name."""
        self._budget.spend_on_looks(self._places.remember(number, name, value))

    def identity(self) -> int:
        """Return a new identity for a list or dict; larger than all numbers before it."""
        return next(self._numbers) + 1

    def change(self, identities: Collection[int], change: Callable[[Value], Value]) -> None:
        """Change the lists and dicts with given identities, in every cell and under every name."""
        made = Change(identities, change)
        seen = 0
        for number, name in self._places.of(identities):
            value = self._cells.get(number, {}).get(name)
            new = made.within(value) if value is not None else None
            if new is not None and new is not value:
                self._own(number)[name] = new
                self._remember(number, name, new)
            self._budget.spend_on_looks(8 + made.visited - seen)
            seen = made.visited

    def find(self, identities: Collection[int]) -> list[Items | Table]:
        """Return the lists and dicts with given identities; each from the first name under which it is found."""
        found: list[Items | Table] = []
        for identity in sorted(identities):
            for number, name in self._places.of([identity]):
                value = self._cells.get(number, {}).get(name)
                here = occurrences(value, identity, self._budget.spend_on_looks) if value is not None else []
                if here:
                    found += here
                    break
        return found

    def cell(self, number: int) -> dict[str, Value]:
        """Return the values of a cell; not to be written to."""
        return self._cells.get(number, {})

    def put(self, number: int, name: str, value: Value) -> None:
        """Set a value; a name that is set again becomes the last one of its cell."""
        cell = self._own(number)
        cell.pop(name, None)
        cell[name] = value
        self._remember(number, name, value)

    def _own(self, number: int) -> dict[str, Value]:
        """Return a cell that this heap may write to; one that it shares is copied."""
        if number not in self._owned:
            self._budget.spend(1 + len(self.cell(number)) // _NAMES_PER_STEP)
            self._cells[number] = dict(self.cell(number))
            self._owned.add(number)
        return self._cells[number]

    def fork(self) -> Heap:
        """Return an independent copy; numbers of new cells stay distinct across both."""
        self._budget.spend(1 + len(self._cells) // _NAMES_PER_STEP)
        copy = Heap(self._budget)
        copy._cells = dict(self._cells)
        copy._numbers = self._numbers
        copy._places = self._places
        self._owned.clear()
        return copy

    def adopt(self, other: Heap) -> None:
        """Take over the cells that only another heap has, because values that are kept from it refer to them."""
        self._budget.spend(1 + len(other._cells) // _NAMES_PER_STEP)
        for number, cell in other._cells.items():
            self._cells.setdefault(number, cell)

    def join(
        self, other: Heap, where: str, *, decided: bool, only_if: Sequence[str] = (), before: Heap | None = None
    ) -> None:
        """Join the heap of the other side of a branch.

        Args:
            other: The heap of the other side.
            where: File and line where the sides meet.
            decided: Whether the default inputs lead to this side.
            only_if: The conditions for this side and for the other as text; empty if they are unknown.
            before: The heap before the branch, if each side changes only what nobody uses on the other one, such as its
                own pipeline: then what only one side changed has no alternative.
        """
        self._budget.spend(1 + len(other._cells) // _NAMES_PER_STEP)
        for number, theirs in other._cells.items():
            mine, old = self._cells.get(number), before.cell(number) if before is not None else None
            if theirs is old:
                continue
            if mine is None or mine is theirs or mine is old:
                self._cells[number] = theirs
                self._owned.discard(number)
                continue
            self._budget.spend(1 + len(theirs) // _NAMES_PER_STEP)
            joined = dict(mine)
            for name in [*mine, *(name for name in theirs if name not in mine)]:
                left, right = mine.get(name), theirs.get(name)
                if left is not right:
                    self._budget.spend(_STEPS_PER_JOIN)
                    options = [left or Absent(where), right or Absent(where)]
                    joined[name] = _joined(options, where, decided=decided, only_if=only_if)
            self._cells[number] = joined
            self._owned.add(number)


def _joined(sides: Sequence[Value], where: str, *, decided: bool, only_if: Sequence[str]) -> Value:
    """Return the values of two branches as alternatives; a dict that both changed stays one dict, item by item."""
    left, right = sides
    if not isinstance(left, Table) or not isinstance(right, Table) or not left.identity == right.identity != 0:
        return either(sides, where, decided=decided, only_if=only_if)
    ours, theirs = dict(left.items), dict(right.items)
    items = {}
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        one, other = ours.get(key), theirs.get(key)
        same = one is other and one is not None
        options = [one or Absent(where), other or Absent(where)]
        items[key] = options[0] if same else either(options, where, decided=decided, only_if=only_if)
    return Table(left.where, tuple(items.items()), left.open or right.open, left.identity)
