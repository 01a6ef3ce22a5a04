"""Which settings explain the gap between two ends, and what proves it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from harness.record.base import Record


class Standing(StrEnum):
    """How a suspect stands after the search."""

    CAUSE = "cause"
    INNOCENT = "innocent"
    UNDECIDED = "undecided"


class SuspectRecord(Record):
    """A setting on which the two ends differ.

    Attributes:
        path: Dotted path.
        left: Its value at the end that is to be explained; None where it is not declared there.
        right: Its value at the matched end; None where it is not declared there.
        left_where: Where the first is declared.
        right_where: Where the second is declared.
        standing: What came out.
        left_out: For a member of the cause, the drift with all but this one changed.
        alone: For a member of the cause, the drift with only this one changed.
        weight: For a member of the cause, its Shapley value: what it takes off the drift, on the average over all
            orders of changing the members; None where a drift is missing or there are too many members.
    """

    path: str
    left: Any
    right: Any
    left_where: str = ""
    right_where: str = ""
    standing: Standing
    left_out: float | None = None
    alone: float | None = None
    weight: float | None = None


class ProbeRecord(Record):
    """One generation of the search.

    Attributes:
        run: Name of the run.
        changed: The settings changed to the matched end's.
        reached: Whether the clip is the matched end's, up to what a re-run differs.
    """

    run: str
    changed: list[str]
    reached: bool


class CauseRecord(Record):
    """What makes the difference between two ends, on one prompt.

    Attributes:
        prompt: Name of the prompt.
        left: Name of the run that is to be explained.
        right: Name of the run at the matched end.
        finished: Whether the search came to its end, within the budget and without interruption.
        reason: Why not, or why there was nothing to search; empty otherwise.
        suspects: All settings on which the ends differ: the cause first, then the undecided, then the innocent.
        proof: Name of the run in which only the cause is changed; empty when there is none.
        counter_proof: Name of the run of the matched end in which only the cause is taken back.
        counter_reached: Whether that run still gives the matched end's clip, as it must not.
        probes: The generations of the search, in order.
        residual: Drift that is left at the matched end, for which these settings are no explanation; None where that
            end has reached the reference, or drift cannot be told.
        outside: What differs beside the settings, and may explain the residual.
        sentence: The finding in words.
    """

    prompt: str
    left: str
    right: str
    finished: bool
    reason: str = ""
    suspects: list[SuspectRecord] = []
    proof: str = ""
    counter_proof: str = ""
    counter_reached: bool | None = None
    probes: list[ProbeRecord] = []
    residual: float | None = None
    outside: list[str] = []
    sentence: str

    @property
    def cause(self) -> list[str]:
        """The paths of the cause."""
        return [suspect.path for suspect in self.suspects if suspect.standing is Standing.CAUSE]
