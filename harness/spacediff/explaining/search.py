"""The search: the smallest set of settings whose change reproduces the target, found with few generations.

The key insight: the search starts from the target. As long as the noise differs, fixing anything else changes nothing
that can be seen; with everything changed the clips agree, and what can be taken back without harm makes no difference.

The search is a binary search for one member after another. Put the suspects in a row: some shortest beginning of the
row reproduces the target, and its last suspect is needed. Keep that one, reverse the beginning before it, since
causes tend to be neighbours, and search it again. Where changing more never harms, a set that fails decides all its
subsets, and one that reproduces the target decides all its supersets. For one cause among n suspects this takes at
most ⌈log₂ n⌉ + 1 generations besides the two ends. Two causes are often neighbours, and plain delta debugging is quick
with those; so after the first member its nearest two are tried one by one before the halving goes on. The test is that
of delta debugging (Zeller and Hildebrandt 2002, doi:10.1109/32.988498), the division that of QuickXplain (Junker 2004,
AAAI).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import combinations, permutations
from types import MappingProxyType

Subset = frozenset[str]
Reproduces = Callable[[Subset], bool | None]
"""Tests whether the explained run, with these settings changed to the target's, gives the target's clip.

None: there is no clip. That counts as not reproduced, and decides nothing about any other subset.
"""

MOST_FOR_SHAPLEY = 4
"""Exact Shapley values take all 2^k subsets of k members."""

_NEIGHBOURS = 2
"""So many are tried one by one after the first member that is found."""


class BudgetSpentError(Exception):
    """No more generations may be spent."""


class Search:
    """A search as far as it got; its state is right at every moment, so it may be interrupted.

    Args:
        suspects: What differs between the two ends, the likeliest first.
        reproduces: The test; a subset is tested once.
        outcomes: Outcomes that are known beforehand; these cost no test.

    Attributes:
        suspects: As given.
        tested: Every subset whose outcome is known.
        smallest: The smallest subset known to reproduce the target.
        found: The members found so far.
    """

    def __init__(
        self,
        suspects: Sequence[str],
        reproduces: Reproduces,
        outcomes: Mapping[Subset, bool | None] = MappingProxyType({}),
    ) -> None:
        everything, nothing = frozenset(suspects), frozenset[str]()
        self.suspects = suspects
        self.tested = {**outcomes, everything: True, nothing: not everything}
        self.smallest = min((subset for subset, reproduced in self.tested.items() if reproduced), key=len)
        self.found: list[str] = []
        self._reproduces = reproduces

    def run(self) -> Subset:
        """Return a sufficient subset of which no member can be left out, provided that changing more never harms.

        That a member is needed follows from a test of a superset of the rest; `confirm` tests the rest itself. Where
        changes undo each other, the subset suffices all the same, and `confirm` and `weigh` look for a smaller one.

        Raises:
            BudgetSpentError: From the test; `smallest` is the best so far.
        """
        rest = [suspect for suspect in self.suspects if suspect in self.smallest]
        while not self._test(self.found):
            last = self._shortest_beginning(self.found, rest)
            self.found.append(rest[last - 1])
            rest = rest[: last - 1][::-1]
        return self.smallest

    def confirm(self) -> Subset:
        """Leave out each member of the smallest subset by itself, and start over whenever one proves needless.

        The unlikeliest come first: those that are needless go before others are left out of what contains them.

        Returns:
            A sufficient subset that no longer suffices without any one of its members, whatever undoes what.
        """
        unlikeliest_first = list(reversed(self.suspects))
        while any(
            self._judge(self.smallest - {member}) for member in sorted(self.smallest, key=unlikeliest_first.index)
        ):
            pass
        return self.smallest

    def weigh(self) -> Subset:
        """Test what the weights need; a smaller subset that reproduces the target becomes the cause, and is weighed.

        Returns:
            The smallest subset known; up to `MOST_FOR_SHAPLEY` members, no subset of it reproduces the target.
        """
        while any(self._judge(subset) for subset in subsets_to_weigh(sorted(self.confirm()))[:-1]):
            pass
        return self.smallest

    def _judge(self, subset: Subset) -> bool:
        """Test a subset itself, whatever follows from the others."""
        if subset not in self.tested:
            self.tested[subset] = self._reproduces(subset)
        return self._noted(subset, self.tested[subset])

    def _shortest_beginning(self, found: Sequence[str], rest: Sequence[str]) -> int:
        """Return the least number of the rest that suffices; with none of them it is known to fail, with all not to."""
        fails, suffices = 0, len(rest)
        later = len(found) > 1
        while suffices - fails > 1:
            singly = len(found) == 1 and fails < _NEIGHBOURS
            # of later members the greater half: where there are two, more of them are to come
            middle = fails + 1 if singly else (fails + suffices + later) // 2
            if self._test([*found, *rest[:middle]]):
                suffices = middle
            else:
                fails = middle
        return suffices

    def _test(self, members: Collection[str]) -> bool:
        subset = frozenset(members)
        outcome = self.known_outcome(subset)
        if outcome is None and subset not in self.tested:
            outcome = self.tested[subset] = self._reproduces(subset)
        return self._noted(subset, outcome)

    def _noted(self, subset: Subset, reproduced: bool | None) -> bool:  # noqa: FBT001 - the outcome of a test
        if reproduced and len(subset) < len(self.smallest):
            self.smallest = subset
        return bool(reproduced)

    def known_outcome(self, subset: Subset) -> bool | None:
        """Return the outcome of a subset that follows from the tests so far; None when none does."""
        if subset in self.tested:
            return self.tested[subset]
        for other, reproduced in self.tested.items():
            if (reproduced and other <= subset) or (reproduced is False and subset <= other):
                return reproduced
        return None


def subsets_to_weigh(cause: Sequence[str]) -> list[Subset]:
    """Return the subsets of a cause whose drift its members' weights are computed from.

    All of them for a cause of few members; else each member alone, and all but each.
    """
    if len(cause) <= MOST_FOR_SHAPLEY:
        return [frozenset(some) for size in range(len(cause) + 1) for some in combinations(cause, size)]
    whole = frozenset(cause)
    return [frozenset(), *(frozenset({one}) for one in cause), *(whole - {one} for one in cause), whole]


def shapley_values(drift: Callable[[Subset], float | None], cause: Sequence[str]) -> dict[str, float] | None:
    """Return what each member of a cause reduces the drift by, on the average over all orders of changing them.

    The values sum up to what they reduce it by together (Shapley 1953, doi:10.1515/9781400881970-018).

    Args:
        drift: The drift with a subset changed; None where it was not measured.
        cause: The members, at most `MOST_FOR_SHAPLEY`.

    Returns:
        Member to value; None when a drift is missing, or there are too many members.
    """
    known = _all_drifts(drift, cause)
    if known is None:
        return None
    sums = dict.fromkeys(cause, 0.0)
    for order in permutations(cause):
        for place, member in enumerate(order):
            before = frozenset(order[:place])
            sums[member] += known[before] - known[before | {member}]
    return {member: total / math.factorial(len(cause)) for member, total in sums.items()}


def interaction_indices(
    drift: Callable[[Subset], float | None], cause: Sequence[str]
) -> dict[tuple[str, str], float] | None:
    """Return what each pair of members reduces the drift by together beyond what each reduces it by itself.

    The Shapley interaction index (Grabisch and Roubens 1999, doi:10.1007/s001820050125): the second difference of the
    drift, on the average over what else is changed. Positive: one does more where the other is changed too. Negative:
    they reduce it by the same.

    Args:
        drift: The drift with a subset changed; None where it was not measured.
        cause: The members, at most `MOST_FOR_SHAPLEY`.

    Returns:
        Pair to value, empty for a single member; None when a drift is missing, or there are too many members.
    """
    known = _all_drifts(drift, cause)
    if known is None:
        return None
    found = {}
    for one, other in combinations(cause, 2):
        rest = [member for member in cause if member not in {one, other}]
        means = []
        for size in range(len(rest) + 1):
            # the weights t! (k - t - 2)! / (k - 1)! are a mean over the sizes of means over the subsets of a size
            gains = [_second_difference(known, frozenset(some), one, other) for some in combinations(rest, size)]
            means.append(math.fsum(gains) / len(gains))
        found[one, other] = math.fsum(means) / len(means)
    return found


def _all_drifts(drift: Callable[[Subset], float | None], cause: Sequence[str]) -> dict[Subset, float] | None:
    """Return the drift of every subset of a cause; None when one is missing, or there are too many members."""
    if len(cause) > MOST_FOR_SHAPLEY:
        return None
    drifts = {subset: drift(subset) for subset in subsets_to_weigh(cause)}
    known = {subset: value for subset, value in drifts.items() if value is not None}
    return known if len(known) == len(drifts) else None


def _second_difference(drifts: Mapping[Subset, float], before: Subset, one: str, other: str) -> float:
    return drifts[before | {one}] + drifts[before | {other}] - drifts[before | {one, other}] - drifts[before]
