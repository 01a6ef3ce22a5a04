"""The result of a search for the cause: which settings suffice, and the runs that show it.

Nothing in it changes any more: an interrupted search, or one that ran out of budget, gives everything found so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spacediff.explaining.search import Subset
from spacediff.record import Fact, FactKind, RunRecord, fact
from spacediff.settings import Difference

INTERRUPTED = fact(FactKind.SEARCH_INTERRUPTED)


@dataclass(frozen=True)
class PromptProof:
    """Proof and counter-proof of a cause on one prompt, as far as they were made.

    Attributes:
        prompt: Name of the prompt.
        proof: The explained run with only the cause changed; None if it was not made.
        counter: The target with only the cause taken back; None if it was not made.
        proof_reproduced: Whether the proof reproduces the target; None if that is unknown.
        counter_reproduced: Whether the counter-proof still does.
        reason: Why something is missing; None when nothing is.
    """

    prompt: str
    proof: RunRecord | None
    counter: RunRecord | None
    proof_reproduced: bool | None
    counter_reproduced: bool | None
    reason: Fact | None


@dataclass(frozen=True)
class SearchResult:
    """What a search has found.

    Attributes:
        left: The run to be explained.
        right: The target.
        suspects: The settings on which the two differ, the likeliest first.
        no_effect: Suspects that were left out of the search since they can have no effect, each with the reason.
        started: Whether there was anything to search.
        smallest: The smallest set of suspects that the search takes for sufficient.
        known: Runs that were there anyway, by the suspects that they change; the two ends among them.
        probes: The runs of the search, by the suspects that they change.
        reproduced: Whether each of these runs reproduces the target, as far as it was compared; None without a clip.
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
    reproduced: Mapping[Subset, bool | None] = field(default_factory=dict)
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
    def sufficient(self) -> Subset:
        """The cause after a finished search; before that the smallest set that a run has shown to suffice.

        What an unfinished search takes for sufficient may rest on suspects that were left out without a run.
        """
        if not self.started:
            return frozenset()
        if self.finished:
            return self.smallest
        shown = (subset for subset, reproduced in self.reproduced.items() if reproduced)
        return min(shown, key=len, default=self.everything)
