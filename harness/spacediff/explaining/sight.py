"""Sights: what runs with some of the suspects changed show of the target, and who runs them.

The key insight: three questions need three lengths of a run. Whether a setting changes any bit shows at the first step
that it touches; whether people see it often a step later; only what is to be shown equal has to go to the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from spacediff.explaining.search import Subset


@dataclass(frozen=True)
class Sight:
    """What one run showed, compared with the target.

    Attributes:
        equal: Whether it is the target, bit for bit, to its last frame; False as soon as anything differs, and None
            where it ended before that, or has no clip.
        within: Whether nobody could see a difference; False also where a distance made that certain, and None where it
            is unknown.
        step: The first step whose latents differ, from 1; None where none is known to.
        distance: How far the last latents that were compared lie from the target's, as a share of the distance between
            seeds; None where that is unknown.
        ended: Whether it went to its end, so that running it again shows nothing more.
    """

    equal: bool | None
    within: bool | None
    step: int | None = None
    distance: float | None = None
    ended: bool = True


class Laboratory(Protocol):
    """Runs what is asked for, each run once, and remembers what it showed."""

    @property
    def sights(self) -> Mapping[Subset, Sight]:
        """What is known so far, by the suspects that a run changes to the target's value; the two ends among them."""

    @property
    def ends_early(self) -> bool:
        """Whether a run ends at the first difference; if not, each costs a whole generation."""

    def watch(self, subset: Subset, last: int | None = None) -> Sight:
        """Run until the first difference from the target, at most to a step; by default to the end.

        Raises:
            BudgetSpentError: Nothing is left to spend.
        """

    def watch_each(self, subsets: Sequence[Subset], last: int) -> None:
        """Do what `watch` does with each of some subsets, perhaps at once.

        Raises:
            BudgetSpentError: Too little is left to spend for all of them.
        """

    def probe(self, subset: Subset) -> Sight:
        """Run until it is certain that a difference can be seen, else to the end.

        Raises:
            BudgetSpentError: Nothing is left to spend.
        """
