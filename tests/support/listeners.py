"""Listeners of audits and sources: one that remembers, one for audits whose progress nobody reads."""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.plan import Run
from spacediff.record import RunRecord


class Heard:
    """Remembers what a source told."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.steps: list[tuple[int, int]] = []

    def status(self, text: str) -> None:
        self.texts.append(text)

    def step(self, done: int, total: int) -> None:
        self.steps.append((done, total))


class Silent(Heard):
    def planned(self, runs: Sequence[Run]) -> None: ...
    def started(self, run: Run) -> None: ...
    def finished(self, run: Run, record: RunRecord, *, reused: bool) -> None: ...
