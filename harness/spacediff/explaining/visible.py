"""The visible cause: the fewest settings with whose change nobody could see a difference from the target.

The key insight: what the screening has shown orders the suspects and decides most tests. Those that certainly are seen
are needed, and usually they suffice; one run to the end proves it. Only where it does not is more tried, the farthest
from the target first, and what stands in for each other or acts only together is left to the search. Which sets are
tried first is a guess, and costs only where it is wrong: every member is left out of the cause at the end. Where no run
ends early, following each suspect would cost a generation each, and the search begins by halving.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

from spacediff.explaining.screening import Screening
from spacediff.explaining.search import Search, Subset
from spacediff.explaining.sight import Laboratory

FEW = 4
"""Up to so many members that suffice, each is left out by itself; more are divided first."""


class VisibleCause:
    """The search for the visible cause; its state is right at every moment, so it may be interrupted.

    Args:
        suspects: What differs between the two ends, the likeliest first.
        laboratory: Runs what is asked for.
        screening: What taking back each suspect does to the numbers; settled here where the proof needs it.
        is_thorough: Whether with so many members every subset of them is tried, too.
        expected: Suspects that people will see where they act at all, as far as their kind says so.

    Attributes:
        smallest: The smallest set of suspects known to suffice.
        found: Whether the search has come to its end.
    """

    def __init__(
        self,
        suspects: Sequence[str],
        laboratory: Laboratory,
        screening: Screening,
        is_thorough: Callable[[int], bool] = lambda _: True,
        expected: Collection[str] = (),
    ) -> None:
        self.smallest = frozenset(suspects)
        self.found = False
        self._is_thorough = is_thorough
        self._expected = frozenset(expected)
        self._suspects = suspects
        self._everything = frozenset(suspects)
        self._laboratory = laboratory
        self._screening = screening

    def find(self) -> Subset:
        """Return a set that suffices and no longer does without any one of its members.

        Raises:
            BudgetSpentError: `smallest` is the best so far.
        """
        if self._suffices(frozenset()):
            self.found = True
            return self.smallest
        follows = self._laboratory.ends_early
        if follows:
            self._screening.follow_each()
            if not self._guess or not self._suffices(self._guess):
                self._screening.settle()
                self._add_more()
        search = self._search()
        if not follows or len(search.smallest) > FEW:  # leaving out each of a few costs less than dividing them
            search.run()
        self._note(search.smallest)
        self._note(search.confirm())
        if self._is_thorough(len(self.smallest)):
            self._note(search.weigh())
        self.found = True
        return self.smallest

    def _search(self) -> Search:
        """Return a search that begins with all that is known; the likeliest suspects are first."""
        known = {
            changed: sight.within for changed, sight in self._laboratory.sights.items() if sight.within is not None
        }
        return Search(self._in_order(), lambda changed: self._laboratory.probe(changed).within, known)

    @property
    def _certain(self) -> Subset:
        """The suspects without which a difference is certainly seen."""
        return frozenset(
            suspect
            for suspect, shown in self._screening.acting.items()
            if len(shown.group) == 1 and self._laboratory.sights[shown.changed].within is False
        )

    @property
    def _guess(self) -> Subset:
        """The suspects that are tried first: the certain ones; and what is expected where more than one of that acts.

        Where one acts, the certain ones alone are what shows whether it is needed, so that this run is made anyway.
        """
        more = (self._screening.acting.keys() & self._expected) - self._certain
        return self._certain | more if len(more) > 1 else self._certain

    def _add_more(self) -> None:
        """Try the first ones, and with them more of those that act, the farthest from the target first.

        One by one for the first two, since causes are few; then twice as many each time.
        """
        ordered = [suspect for suspect in self._in_order() if suspect in self._screening.acting]
        size = max(len(self._guess), 1)
        for more in (1, *(2**power for power in range(len(ordered)))):
            if size > len(ordered) or self._suffices(frozenset(ordered[:size])):
                return
            size = len(ordered) if size < len(ordered) < size + more else size + more

    def _suffices(self, changed: Subset) -> bool:
        within = self._laboratory.probe(changed).within
        if within:
            self._note(changed)
        return bool(within)

    def _note(self, changed: Subset) -> None:
        if len(changed) <= len(self.smallest):
            self.smallest = changed

    def _in_order(self) -> list[str]:
        """Put those first that are certainly seen, then those that act by their distance; the silent ones are last.

        What is expected to be seen precedes the others that act.
        """
        certain, acting, silent = self._certain, self._screening.acting, self._screening.silent

        def rank(suspect: str) -> tuple[bool, bool, bool, bool, float]:
            shown = acting.get(suspect)
            distance = self._laboratory.sights[shown.changed].distance if shown else None
            return (
                suspect not in certain,
                shown is None,
                suspect in silent,
                suspect not in self._expected,
                -(distance if distance is not None else -math.inf),
            )

        return sorted(self._suspects, key=rank)
