"""The cause: the smallest set of settings whose change brings one end to the other, found with few generations.

The key insight: the search starts from the matched end. While the noise differs, mending anything else changes nothing
that can be seen; with everything changed the clips agree, and what can be taken back without harm is innocent.

The search is a binary search for one member after another. Put the suspects in a row: some shortest beginning of the
row reaches the other end, and its last suspect is needed. Keep that one, turn the beginning before it round, since
causes tend to be neighbours, and search it again. Where changing more never harms, a set that fails tells of all its
subsets, and one that reaches of all that hold it. For one cause among n suspects this takes at most ⌈log₂ n⌉ + 1
generations beside the two ends. Two causes are often neighbours, and plain delta debugging is quick with those; so
beside the first member its nearest two are tried one by one before the halving goes on. The test is that of delta
debugging (Zeller and Hildebrandt 2002, doi:10.1109/32.988498), the division that of QuickXplain (Junker 2004, AAAI).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations

Subset = frozenset[str]
Reaches = Callable[[Subset], bool | None]
"""Tells whether the first end, with these settings changed to the other's, gives the other end's clip.

None: there is no clip. That counts as not reached, and tells nothing of any other subset.
"""

MOST_FOR_SHAPLEY = 4
"""Exact Shapley values take all 2^k subsets of k members."""

_NEIGHBOURS = 2
"""So many are tried one by one beside the first member that is found."""


class BudgetSpentError(Exception):
    """No more generations may be spent."""


@dataclass
class Search:
    """A search as far as it got; its state is right at every moment, so it may be interrupted.

    Attributes:
        suspects: What differs between the two ends, the likeliest first.
        reaches: The test; a subset is tested once.
        tested: Every subset that was tested, and how it came out; what is known beforehand costs no test.
        smallest: The smallest subset known to reach the other end.
        found: The members found so far.
    """

    suspects: Sequence[str]
    reaches: Reaches
    tested: dict[Subset, bool | None] = field(default_factory=dict)
    smallest: Subset = frozenset()
    found: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        everything, nothing = frozenset(self.suspects), frozenset[str]()
        self.tested = self.tested | {everything: True, nothing: not everything}
        self.smallest = min((subset for subset, reached in self.tested.items() if reached), key=len)
        self._open, self._singly = len(self.smallest), 0

    @property
    def tests_left(self) -> int:
        """How many tests are still to come at most if the member looked for is the last one."""
        return self._singly + expected_tests(self._open - self._singly) if self._open else 0

    def run(self) -> Subset:
        """Return a sufficient subset of which no member can be left out, provided that changing more never harms.

        Each member's need is known from a test of more than the subset without it; `confirm` tests just that. Where
        changes undo each other, the subset suffices all the same, and `confirm` and `weigh` look for a smaller one.

        Raises:
            BudgetSpentError: From the test; `smallest` is the best so far.
        """
        rest = [suspect for suspect in self.suspects if suspect in self.smallest]
        while not self._test(self.found):
            last = self._shortest_beginning(self.found, rest)
            self.found.append(rest[last - 1])
            rest = rest[: last - 1][::-1]
        self._open = 0
        return self.smallest

    def confirm(self) -> Subset:
        """Leave out each member of the smallest subset alone, and begin again whenever one proves needless.

        Returns:
            A sufficient subset that is none any more without any one of its members, whatever undoes what.
        """
        while any(self._judge(self.smallest - {member}) for member in sorted(self.smallest)):
            pass
        return self.smallest

    def weigh(self) -> Subset:
        """Test what the weights need; should a smaller subset reach the other end, it is the cause and weighed anew.

        Returns:
            The smallest subset known; up to `MOST_FOR_SHAPLEY` members, no subset of it reaches the other end.
        """
        while any(self._judge(subset) for subset in subsets_to_weigh(sorted(self.confirm()))[:-1]):
            pass
        return self.smallest

    def _judge(self, subset: Subset) -> bool:
        """Test a subset itself, whatever the others tell of it."""
        if subset not in self.tested:
            self.tested[subset] = self.reaches(subset)
        return self._noted(subset, self.tested[subset])

    def _shortest_beginning(self, found: Sequence[str], rest: Sequence[str]) -> int:
        """Return how many of the rest are needed at least; none is known to fail, all are known to do."""
        fails, reaches = 0, len(rest)
        later = len(found) > 1
        while (width := reaches - fails) > 1:
            self._open = width
            self._singly = min(max(_NEIGHBOURS - fails, 0), width - 1) if len(found) == 1 else 0
            # of later members the greater half: where there are two, more of them are to come
            middle = fails + 1 if self._singly else (fails + reaches + later) // 2
            if self._test([*found, *rest[:middle]]):
                reaches = middle
            else:
                fails = middle
        self._open, self._singly = 1, 0
        return reaches

    def _test(self, members: Collection[str]) -> bool:
        subset = frozenset(members)
        told = self.known_outcome(subset)
        if told is None and subset not in self.tested:
            told = self.tested[subset] = self.reaches(subset)
        return self._noted(subset, told)

    def _noted(self, subset: Subset, reached: bool | None) -> bool:  # noqa: FBT001 - the outcome of a test
        if reached and len(subset) < len(self.smallest):
            self.smallest = subset
        return bool(reached)

    def known_outcome(self, subset: Subset) -> bool | None:
        """Return what the tests so far tell of a subset; None when they tell nothing."""
        if subset in self.tested:
            return self.tested[subset]
        for other, reached in self.tested.items():
            if (reached and other <= subset) or (reached is False and subset <= other):
                return reached
        return None


def expected_tests(suspects: int) -> int:
    """Return how many generations it takes at most, beside the two ends, to find one cause among so many suspects."""
    return math.ceil(math.log2(max(suspects, 1))) + 1


def subsets_to_weigh(cause: Sequence[str]) -> list[Subset]:
    """Return the subsets of a cause whose drift its members' weights are computed from.

    All of them for a cause of few members; else each member alone, and all but each.
    """
    if len(cause) <= MOST_FOR_SHAPLEY:
        return [frozenset(some) for size in range(len(cause) + 1) for some in combinations(cause, size)]
    whole = frozenset(cause)
    return [frozenset(), *(frozenset({one}) for one in cause), *(whole - {one} for one in cause), whole]


def shapley_values(drift: Callable[[Subset], float | None], cause: Sequence[str]) -> dict[str, float] | None:
    """Return what each member of a cause takes off the drift, on the average over all orders of changing them.

    The values sum up to what they take off together (Shapley 1953, doi:10.1515/9781400881970-018).

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
    """Return what each pair of members takes off the drift together beyond what each takes off by itself.

    The Shapley interaction index (Grabisch and Roubens 1999, doi:10.1007/s001820050125): the second difference of the
    drift, on the average over what else is changed. Positive: one does more where the other is changed too. Negative:
    they take off the same.

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
