"""The steps and the memory that may be spent on one source, and the share of them that one statement may spend.

The key insight is that a bound has to count what costs, not lines: values that are created, copied and looked at. Steps
are counted instead of seconds, so that a source is read in the same way on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from spacediff.reading.values import Either, Items, Known, Table, Value

_VALUES_PER_STEP = 8
"""Values that are looked at in the time of one step."""
_ITEMS_PER_STEP = 32
"""Items that are copied in the time of one step."""
_MOST_ITEMS = 4_000_000
"""Items of all lists, dicts and texts that a source creates."""
_LETTERS_PER_ITEM = 8
"""Characters of a text that take the memory of one item."""


class TooMuchError(Exception):
    """A bound on steps was reached."""


class TooDeepError(TooMuchError):
    """A bound on nesting was reached."""


class Budget:
    """The steps and the memory that are left for one source."""

    def __init__(self, units: int) -> None:
        self._units = units
        self._left = units
        self._kept = 0
        self._room = _MOST_ITEMS

    @property
    def spent(self) -> int:
        """How many steps are used up."""
        return self._units - self._left

    @property
    def is_spent(self) -> bool:
        """Whether no step is left for the current share."""
        return self._left <= self._kept

    def spend(self, units: int = 1) -> None:
        """Use up steps.

        Raises:
            TooMuchError: None is left for the current share.
        """
        self._left -= units
        if self._left < self._kept:
            raise TooMuchError

    def has_room(self, value: Value) -> bool:
        """Use up the memory of a new value; return whether it was left.

        Raises:
            TooMuchError: No step is left for the current share.
        """
        size = _size(value)
        self._room -= size
        if not isinstance(value, Known):  # a text is copied in no time
            self.spend(size // _ITEMS_PER_STEP)
        return self._room >= 0

    def spend_on_looks(self, values: int) -> None:
        """Use up the steps for looking at a number of values.

        Raises:
            TooMuchError: None is left for the current share.
        """
        self.spend(values // _VALUES_PER_STEP)

    @contextmanager
    def share(self, fraction: float) -> Iterator[None]:
        """Allow only a fraction of the remaining steps inside the block, so that some are left after it."""
        outer = self._kept
        self._kept = max(outer, self._left - int((self._left - outer) * fraction))
        try:
            yield
        finally:
            self._kept = outer


def _size(value: Value) -> int:
    """Return the items that a new value holds itself; those inside them were counted when they were created."""
    if isinstance(value, Known):
        return len(value.value) // _LETTERS_PER_ITEM if isinstance(value.value, str) else 0
    if isinstance(value, Items | Table):
        return len(value.items)
    return sum(_size(option) for option in value.options) if isinstance(value, Either) else 0
