"""What an audit was expected to take, and what it took."""

from __future__ import annotations

from spacediff.record.base import Record
from spacediff.record.fact import Fact


class TakenRecord(Record):
    """What the generations of an audit took; what an earlier call has left in the folder is not counted.

    Attributes:
        generations: Planned generations that gave a clip.
        control: Those of the control with deterministic algorithms.
        search: Generations of the search for the cause; a run that ended early is a fraction of one.
        seconds: Wall time of the planned runs, the reference's among them, and of the control.
        search_seconds: Wall time of the search.
        device: The device whose memory was measured; empty for the machine's own memory.
        memory: The most bytes in use there; None where no generation was observed.
        disk: Bytes of the audit folder when all was generated.
    """

    generations: int
    control: int = 0
    search: float
    seconds: float
    search_seconds: float
    device: str
    memory: int | None
    disk: int


class ForecastRecord(Record):
    """The forecast of an audit beside what it came to.

    Attributes:
        expected: What was expected: before the first run, and again once a generation was measured.
        taken: What it took.
    """

    expected: list[Fact]
    taken: TakenRecord
