"""The result of a search for the cause: which settings suffice, and the runs that show it.

Nothing in it changes any more: an interrupted search, or one that ran out of budget, gives everything found so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spacediff.explaining.screening import Acting
from spacediff.explaining.search import Subset
from spacediff.explaining.sight import Sight
from spacediff.record import CostRecord, Fact, FactKind, RunRecord, SpreadRecord, ToleranceRecord, fact
from spacediff.settings import Difference

INTERRUPTED = fact(FactKind.SEARCH_INTERRUPTED)


@dataclass(frozen=True)
class PromptProof:
    """Proof and counter-proof of a cause on one prompt, as far as they were made.

    Attributes:
        prompt: Name of the prompt.
        proof: The explained run with only the cause changed; None if it was not made.
        counter: The target with only the cause taken back; None if it was not made.
        proof_sight: What the proof shows of the target; None if that is unknown.
        counter_sight: What the counter-proof shows of it.
        reason: Why something is missing; None when nothing is.
    """

    prompt: str
    proof: RunRecord | None
    counter: RunRecord | None
    proof_sight: Sight | None
    counter_sight: Sight | None
    reason: Fact | None

    @property
    def proof_reproduced(self) -> bool | None:
        """Whether nobody could see that the proof is not the target."""
        return self.proof_sight.within if self.proof_sight else None

    @property
    def proof_equal(self) -> bool | None:
        """Whether the proof is the target, bit for bit."""
        return self.proof_sight.equal if self.proof_sight else None

    @property
    def counter_reproduced(self) -> bool | None:
        """Whether nobody could see that the counter-proof is not the target."""
        return self.counter_sight.within if self.counter_sight else None

    @property
    def counter_equal(self) -> bool | None:
        """Whether the counter-proof is the target, bit for bit."""
        return self.counter_sight.equal if self.counter_sight else None


@dataclass(frozen=True)
class SearchResult:
    """What a search has found.

    Attributes:
        left: The run to be explained.
        right: The target.
        suspects: The settings on which the two differ, the likeliest first.
        no_effect: Suspects that can hardly have an effect, each with the reason; a run has to show it all the same.
        started: Whether there was anything to search.
        smallest: The smallest set of suspects that is known to suffice.
        known: Runs that were there anyway, by the suspects that they change; the two ends among them.
        probes: The runs of the search, by the suspects that they change; of several, the one that went farthest.
        sights: What each run shows of the target.
        acting: The suspects that change the numbers, each with what shows it.
        silent: The suspects that change no bit, each with what the run changes that shows it.
        cost: What the runs of the search have cost.
        tolerance: What counts as a difference that people see; None where nothing was searched.
        spread: How far re-runs of the target are apart; None where a re-run is equal to the end.
        proofs: The proofs, one for each prompt; empty unless the search came to its end.
        generated: All runs that the search asked for, on any prompt, in the order in which they were made.
        reason: Why the search did not come to its end; None when it did.
        interrupted: Whether an interruption ended it, be it during the proofs.
    """

    left: RunRecord
    right: RunRecord
    suspects: tuple[Difference, ...]
    no_effect: Mapping[str, Fact] = field(default_factory=dict)
    started: bool = False
    smallest: Subset = frozenset()
    known: Mapping[Subset, RunRecord] = field(default_factory=dict)
    probes: Mapping[Subset, RunRecord] = field(default_factory=dict)
    sights: Mapping[Subset, Sight] = field(default_factory=dict)
    acting: Mapping[str, Acting] = field(default_factory=dict)
    silent: Mapping[str, Subset] = field(default_factory=dict)
    cost: CostRecord | None = None
    tolerance: ToleranceRecord | None = None
    spread: SpreadRecord | None = None
    proofs: tuple[PromptProof, ...] = ()
    generated: tuple[RunRecord, ...] = ()
    reason: Fact | None = None
    interrupted: bool = False

    @property
    def finished(self) -> bool:
        """Whether the search came to its end."""
        return self.reason is None

    @property
    def everything(self) -> Subset:
        """All suspects."""
        return frozenset(suspect.path for suspect in self.suspects)

    @property
    def runs(self) -> Mapping[Subset, RunRecord]:
        """All runs of the searched prompt, by the suspects that they change."""
        return {**self.known, **self.probes}

    @property
    def reproduced(self) -> Mapping[Subset, bool | None]:
        """Whether nobody could see that a run is not the target, as far as that is known."""
        return {subset: sight.within for subset, sight in self.sights.items()}

    @property
    def start_within(self) -> bool:
        """Whether nobody could see that the two ends differ."""
        return self.started and bool(self.reproduced.get(frozenset()))

    @property
    def sufficient(self) -> Subset:
        """The smallest set that a run has shown to suffice; empty where nothing was searched."""
        return self.smallest if self.started else frozenset()
