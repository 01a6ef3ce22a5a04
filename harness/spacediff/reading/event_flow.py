"""In what state an event of a user interface finds the app: after the file, and after the events that came before it.

The key insight is that a user need not have caused any other event. So each event starts from what the file left, and
what an earlier event changed is an alternative. Only the events of a chain, `go.click(…).then(…)`, certainly follow
each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from spacediff.reading.interpreter.heap import Heap
from spacediff.reading.interpreter.records import Event
from spacediff.reading.interpreter.state import State


class EventFlow:
    """Starts each entry from the state in which a user may cause it."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._start = state.heap
        self._after: dict[int, tuple[Heap, int]] = {}

    @contextmanager
    def apart(self, words: str, *, certain: bool = False) -> Iterator[None]:
        """Start from the state before any event; what changes in the block is an alternative for later events.

        Args:
            words: The condition under which later events find it changed.
            certain: Whether it always comes before them, such as the loading of a model by a server.
        """
        self._state.entry = 0 if certain else self._new_entry(words)
        self._state.heap = self._start.fork()
        try:
            yield
        finally:
            self._leave(words, certain=certain)

    @contextmanager
    def event(self, event: Event) -> Iterator[None]:
        """Start from the state in which an event finds the app: that of the event it follows, if it follows one."""
        before = self._before(event)
        at_load = event.kind == "load" and event.after is None
        words = f"the event at {event.where} happens"
        if before is None:
            before = self._start, 0 if at_load else self._new_entry(words)
        heap, self._state.entry = before
        self._state.heap = heap.fork()
        try:
            yield
        finally:
            self._after[id(event)] = self._state.heap, self._state.entry
            self._leave(words, certain=at_load)

    def _new_entry(self, words: str) -> int:
        """Return the number of another entry, of which it is not certain that anybody causes it."""
        self._state.entry_words.append(words)
        return len(self._state.entry_words) - 1

    def _before(self, event: Event) -> tuple[Heap, int] | None:
        earlier = event.after
        while earlier is not None and id(earlier) not in self._after:
            earlier = earlier.after
        return self._after[id(earlier)] if earlier is not None else None

    def _leave(self, words: str, *, certain: bool) -> None:
        if certain:
            self._start = self._state.heap
        else:
            self._start.join(self._state.heap, "", decided=True, only_if=["", words])
        self._state.heap = self._start
