"""Which settings explain the gap between two ends, and what proves it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from spacediff.record.base import Record
from spacediff.record.comparison import Verdict
from spacediff.record.fact import Fact


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
        why: What that rests on.
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
    why: str = ""
    left_out: float | None = None
    alone: float | None = None
    weight: float | None = None


class ProbeRecord(Record):
    """One generation of the search.

    Attributes:
        run: Name of the run.
        changed: The settings changed to the matched end's.
        reached: Whether the clip is the matched end's, up to what a re-run differs; None where there is no clip, which
            tells nothing.
    """

    run: str
    changed: list[str]
    reached: bool | None


class ProofRecord(Record):
    """The proof on one prompt.

    Attributes:
        prompt: Name of the prompt.
        proof: Name of the run in which only the cause is changed; empty when it is missing.
        reached: Whether it gives the matched end's clip of this prompt; None when it or its clip is missing.
        drift: Its drift from the reference; None when it cannot be told.
        verdict: How it stands to the reference; None when it was not compared.
        counter_proof: Name of the run of the matched end in which only the cause is taken back.
        counter_reached: Whether that run still gives the matched end's clip, as it must not; None without a clip.
        counter_drift: Its drift from the reference.
        counter_verdict: How it stands to the reference.
        reason: Why something is missing; empty when nothing is.
    """

    prompt: str
    proof: str = ""
    reached: bool | None = None
    drift: float | None = None
    verdict: Verdict | None = None
    counter_proof: str = ""
    counter_reached: bool | None = None
    counter_drift: float | None = None
    counter_verdict: Verdict | None = None
    reason: str = ""

    @property
    def holds(self) -> bool:
        """Whether two clips show that the cause suffices on this prompt, and is needed."""
        return self.reached is True and self.counter_reached is False and not self.reason


class InteractionRecord(Record):
    """Members of the cause that do not act each for itself.

    Attributes:
        members: Their paths.
        index: For a pair, the Shapley interaction index: what they take off the drift together beyond what each takes
            off by itself, on the average over what else is changed. None where the sentence is about more than two.
        sentence: The finding in words.
    """

    members: list[str]
    index: float | None = None
    sentence: str


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
        counter_reached: Whether that run still gives the matched end's clip, as it must not; None without a clip.
        probes: The generations of the search, in order.
        proofs: The proof on each prompt, the one that was searched first.
        interactions: Which members of the cause do not act each for itself.
        residual: Drift that is left at the matched end, for which these settings are no explanation; None where that
            end has reached the reference, or drift cannot be told.
        best: Where the matched end has not reached the reference, the run with the least drift of all.
        best_drift: Its drift.
        residual_suspects: What differs besides the settings, or is unknown, and may explain the residual.
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
    proofs: list[ProofRecord] = []
    interactions: list[InteractionRecord] = []
    residual: float | None = None
    best: str = ""
    best_drift: float | None = None
    residual_suspects: list[Fact] = []
    sentence: str

    @property
    def cause(self) -> list[str]:
        """The paths of the cause, as far as clips show each of them to be needed."""
        return [suspect.path for suspect in self.suspects if suspect.standing is Standing.CAUSE]

    @property
    def sufficient(self) -> list[str]:
        """The paths that suffice together: the cause, and what may be needless beside it."""
        return [suspect.path for suspect in self.suspects if suspect.standing is not Standing.INNOCENT]
