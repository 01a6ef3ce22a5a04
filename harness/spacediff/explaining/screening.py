"""Screening: which suspects change the numbers at all, for a few steps each and one run to the end.

The key insight: a difference shows soon, and only equality takes a whole run. So each suspect is taken back from the
target by itself for the first steps; those that show nothing there are taken back all together in one run to the end.
Where that one diverges, its culprits are found by halving, with runs that need not go farther than it did.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from spacediff.explaining.search import Search, Subset
from spacediff.explaining.sight import Laboratory, Sight

FIRST_STEPS = 2
"""How far a suspect is followed by itself; what acts later is found in the run with all that were silent."""


@dataclass(frozen=True)
class Acting:
    """What shows that a suspect changes the numbers.

    Attributes:
        changed: The suspects that the run changes which shows it.
        group: The suspects that act only together in it; usually the one.
    """

    changed: Subset
    group: Subset


class Screening:
    """What taking back suspects does to the numbers; its state is right at every moment, so it may be interrupted.

    Args:
        suspects: What differs between the two ends, the likeliest first.
        laboratory: Runs what is asked for.
        unlikely: Suspects that are not followed by themselves, since they will hardly show anything.
        late: Suspects that can act only after the denoising.

    Attributes:
        acting: The suspects that change any bit, each with what shows it.
        silent: The suspects that change no bit, each with what the run changes that shows it.
    """

    def __init__(
        self, suspects: Sequence[str], laboratory: Laboratory, unlikely: Collection[str], late: Collection[str]
    ) -> None:
        self.acting: dict[str, Acting] = {}
        self.silent: dict[str, Subset] = {}
        self._suspects = suspects
        self._everything = frozenset(suspects)
        self._laboratory = laboratory
        self._unlikely = frozenset(unlikely)
        self._late = frozenset(late)
        self._followed: set[str] = set()

    def follow_each(self) -> None:
        """Take back each likely suspect by itself, for the first steps; none where each would run to its end."""
        runs = {suspect: self._everything - {suspect} for suspect in self._to_follow}
        try:
            self._laboratory.watch_each(list(runs.values()), FIRST_STEPS)
        finally:  # an interruption, or the end of the budget, leaves some
            known = self._laboratory.sights
            for suspect, changed in runs.items():
                if changed in known:
                    self._followed.add(suspect)
                    if known[changed].equal is False:
                        self.acting[suspect] = Acting(changed, frozenset({suspect}))

    def settle(self, cause: Subset = frozenset()) -> None:
        """Find out of each other suspect whether it changes the numbers, with runs to the end.

        A suspect that was seen to act only together with members of the cause is settled once more without them.
        What leaves no clip stays open.
        """
        for suspect, shown in [*self.acting.items()]:
            if len(shown.group) > 1 and shown.group & cause:
                del self.acting[suspect]
        self.silent = {suspect: changed for suspect, changed in self.silent.items() if suspect not in cause}
        while rest := self.open(cause):
            changed = self._shown_equal(rest) or self._everything - rest
            sight = self._laboratory.watch(changed)
            if sight.equal:
                self.silent |= dict.fromkeys(rest, changed)
            if sight.equal is not False or not self._blame(rest, sight):
                return

    @property
    def screens_left(self) -> int:
        """How many suspects are still to be followed by themselves."""
        return len(self._to_follow)

    @property
    def _to_follow(self) -> list[str]:
        left_out = self._unlikely | self._late | self._followed
        return [each for each in self._suspects if each not in left_out] if self._laboratory.ends_early else []

    def open(self, cause: Subset) -> Subset:
        """Return the suspects of which it is not known whether they change the numbers, besides those of a cause."""
        return self._everything - cause - self.acting.keys() - self.silent.keys()

    def _shown_equal(self, rest: Subset) -> Subset | None:
        """Return what a run changes that is the target although some suspects are taken back, and none that act."""
        acting = self.acting.keys()
        sights = self._laboratory.sights.items()
        return next(
            (changed for changed, sight in sights if sight.equal and not rest & changed and acting <= changed), None
        )

    def _blame(self, rest: Subset, sight: Sight) -> bool:
        """Find which of the suspects made a run differ in which all of them are taken back; return whether any did."""
        if sight.step is not None:
            return self._divide(rest, self._everything, lambda changed: self._laboratory.watch(changed, sight.step))
        late, early = rest & self._late, rest - self._late
        decoded = self._everything - early  # shares the denoising of the run with all of them
        if not early or (late and self._laboratory.watch(decoded).equal):
            return self._divide(late, decoded, self._laboratory.watch)
        return self._divide(early, self._everything, self._laboratory.watch)

    def _divide(self, suspects: Subset, changed: Subset, watch: Callable[[Subset], Sight]) -> bool:
        """Find the fewest of some suspects that act when they are taken back from a run, by halving."""

        def acts(taken_back: Subset) -> bool | None:
            equal = watch(changed - taken_back).equal
            return None if equal is None and not self._stopped(changed - taken_back) else equal is False

        if acts(suspects) is not True:
            return False
        search = Search(self._in_order(suspects), acts)
        search.run()
        group = search.confirm()
        self.acting |= dict.fromkeys(group, Acting(changed - group, group))
        return True

    def _stopped(self, changed: Subset) -> bool:
        return not self._laboratory.sights[changed].ended

    def _in_order(self, suspects: Iterable[str]) -> list[str]:
        return sorted(suspects, key=self._suspects.index)
