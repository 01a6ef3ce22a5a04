"""Two groups of clips compared: permutation tests, effect sizes, and how many clips could have shown a difference.

Where seeds cannot match, no clip of one side belongs to a clip of the other, so that only the groups can be compared.
The key insight: under the hypothesis that both sides sample alike, every way to divide the clips into two groups is as
likely as the one that was seen. So p is the share of divisions that are at least as extreme, without any assumption
about how a measure is distributed (Fisher 1935; Phipson & Smyth 2010, doi:10.2202/1544-6115.1585). Counting divisions
also says what so few clips cannot find, whatever they show.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spacediff.group_sizes import ALPHA, MOST_CLIPS, MOST_DIVISIONS, fewest_clips

POWER = 0.8
"""Share of audits that should find a difference that is there (Cohen 1988)."""

LARGE_EFFECT = 0.474
"""Cliff's delta from which on an effect is called large (Romano et al. 2006)."""

_AT_ONCE = 8_000_000
"""Distances that are read at once: 64 MB."""


@dataclass(frozen=True)
class GroupTest:
    """What one measure says about two groups.

    Attributes:
        p: Probability of a difference at least as large if both sides sample alike.
        effect: Cliff's delta, from -1 to 1: how much more often a clip of the second group has the higher value than
            the lower one, over all pairs (Cliff 1993, doi:10.1037/0033-2909.114.3.494); None where the measure is not
            one value for each clip.
        interval: Confidence interval of the effect at 90 %, within which it has to be for two one-sided tests at 5 %
            each (Schuirmann 1987, doi:10.1007/BF01068419); None without an effect.
        deviations: The difference in standard deviations of its permutations; None where that has no meaning.
    """

    p: float
    effect: float | None = None
    interval: tuple[float, float] | None = None
    deviations: float | None = None


def compare_values(reference: Sequence[float], candidate: Sequence[float]) -> GroupTest:
    """Compare two groups by one value for each clip, by a permutation test of the mean rank.

    Args:
        reference: One value for each clip; at least two.
        candidate: The same of the other group.

    Raises:
        ValueError: A value is no finite number, so that it has no rank.
    """
    from scipy.stats import rankdata

    if not np.isfinite([*reference, *candidate]).all():
        raise ValueError("a clip has a value that is no finite number")
    counts = len(reference), len(candidate)
    ranks = rankdata([*reference, *candidate])
    found = _permuted(
        counts, lambda first, second: ranks[second].mean(axis=-1) - ranks[first].mean(axis=-1), "two-sided"
    )
    effect, interval = _cliff(np.asarray(reference, float), np.asarray(candidate, float))
    return GroupTest(float(found.pvalue), effect, interval, _deviations(found))


def compare_spread(distances: NDArray[np.float64], count: int) -> GroupTest:
    """Compare how far the clips of each group are from one another, on average.

    Args:
        distances: Distance of each clip from each other, `[N, N]`; the first group's clips come first.
        count: Number of clips in the first group; at least two in each.
    """

    def difference(first: NDArray[np.intp], second: NDArray[np.intp]) -> Any:
        return _within(distances, second) - _within(distances, first)

    found = _permuted((count, len(distances) - count), difference, "two-sided")
    return GroupTest(float(found.pvalue), deviations=_deviations(found))


def compare_distances(distances: NDArray[np.float64], count: int) -> GroupTest:
    """Compare whole groups by the energy distance: how much farther clips are from the other group than from their own.

    It is sensitive to any difference (Székely & Rizzo 2013, doi:10.1016/j.jspi.2013.03.018).

    Args:
        distances: Distance of each clip from each other, `[N, N]`; the first group's clips come first.
        count: Number of clips in the first group; at least two in each.
    """

    def energy(first: NDArray[np.intp], second: NDArray[np.intp]) -> Any:
        across = distances[first[..., :, None], second[..., None, :]].mean(axis=(-2, -1))
        return 2 * across - _within(distances, first) - _within(distances, second)

    return GroupTest(float(_permuted((count, len(distances) - count), energy, "greater").pvalue))


def _within(distances: NDArray[np.float64], group: NDArray[np.intp]) -> Any:
    """Average the distance of two different clips of a group, for each of many groups."""
    size = group.shape[-1]
    return distances[group[..., :, None], group[..., None, :]].sum(axis=(-2, -1)) / (size * (size - 1))


def _permuted(counts: tuple[int, int], statistic: Callable[..., Any], alternative: str) -> Any:
    """Test a statistic of two groups of clip numbers over all divisions, or over many drawn by a fixed seed."""
    from scipy.stats import permutation_test

    first, second = np.arange(counts[0]), np.arange(counts[0], sum(counts))
    return permutation_test(
        (first, second),
        lambda x, y, axis: statistic(np.moveaxis(x, axis, -1), np.moveaxis(y, axis, -1)),
        permutation_type="independent",
        vectorized=True,
        n_resamples=MOST_DIVISIONS,
        batch=max(1, _AT_ONCE // sum(counts) ** 2),
        alternative=alternative,
        rng=np.random.default_rng(0),
    )


def _deviations(found: Any) -> float | None:
    null = np.asarray(found.null_distribution)
    spread = float(null.std())
    return abs(float(found.statistic) - float(null.mean())) / spread if spread > 0 else None


def _cliff(reference: NDArray[np.float64], candidate: NDArray[np.float64]) -> tuple[float, tuple[float, float]]:
    """Return Cliff's delta with its asymmetric interval (Feng & Cliff 2004, doi:10.22237/jmasm/1099267560)."""
    wins = np.sign(candidate[:, None] - reference[None, :])
    delta = float(wins.mean())
    n, m = wins.shape
    by_row = ((wins.mean(axis=1) - delta) ** 2).sum()
    by_column = ((wins.mean(axis=0) - delta) ** 2).sum()
    each = ((wins - delta) ** 2).sum()
    unbiased = (m**2 * by_row + n**2 * by_column - each) / (n * m * (n - 1) * (m - 1))
    variance = max(float(unbiased), (1 - delta**2) / (n * m - 1))  # the smallest that is possible
    z = NormalDist().inv_cdf(1 - ALPHA)
    half = z * math.sqrt(variance) * math.sqrt((1 - delta**2) ** 2 + z**2 * variance)
    whole = 1 - delta**2 + z**2 * variance
    if whole == 0:  # no pair overlaps, so the data do not say how uncertain that is
        return delta, (min(delta, 0.0), max(delta, 0.0))
    middle = delta - delta**3
    return delta, (max(-1.0, (middle - half) / whole), min(1.0, (middle + half) / whole))


def holm(values: Sequence[float]) -> list[float]:
    """Adjust p values of tests that belong together, so that a false finding in any of them stays as rare as in one.

    Holm 1979, doi:10.2307/4615733; it needs no assumption about how the tests depend on one another.
    """
    adjusted, largest = [0.0] * len(values), 0.0
    for place, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        largest = max(largest, min(1.0, (len(values) - place) * values[index]))
        adjusted[index] = largest
    return adjusted


def clips_to_find(test: GroupTest, counts: tuple[int, int], tests: int) -> int | None:
    """Return about how many clips a side would find a difference as large as the one seen, in `POWER` of audits.

    The standard error shrinks with the root of the number of clips; for ranks this is the formula of Noether 1987,
    doi:10.1080/01621459.1987.10478478. It says nothing about whether the difference is real.

    Args:
        test: A test without a finding.
        counts: Clips in each group.
        tests: Number of tests that belong together.

    Returns:
        A number larger than both counts; None where it would be beyond all reason, or is unknown.
    """
    if not test.deviations:
        return None
    a_side = 2 / (1 / counts[0] + 1 / counts[1])
    needed = math.ceil(a_side * (_deviations_needed(tests) / test.deviations) ** 2)
    fewest = fewest_clips(tests)
    return None if needed > MOST_CLIPS or fewest is None else max(needed, fewest, max(counts) + 1)


def clips_to_exclude(test: GroupTest, counts: tuple[int, int], limit: float) -> int | None:
    """Return about how many clips a side would show that an effect is within a limit, if it is the one seen.

    Args:
        test: A test whose interval is not within the limit.
        counts: Clips in each group.
        limit: Largest Cliff's delta that is accepted.

    Returns:
        None where it is within the limit already, where the effect itself is beyond it, or where the number would be
        beyond all reason.
    """
    if test.effect is None or test.interval is None or abs(test.effect) >= limit:
        return None
    if -limit <= test.interval[0] and test.interval[1] <= limit:
        return None
    half = max(test.interval[1] - test.effect, test.effect - test.interval[0])
    a_side = 2 / (1 / counts[0] + 1 / counts[1])
    needed = math.ceil(a_side * (half / (limit - abs(test.effect))) ** 2)
    return None if needed > MOST_CLIPS else max(needed, max(counts) + 1)


def detectable_effect(counts: tuple[int, int], tests: int) -> float | None:
    """Return the smallest Cliff's delta that `POWER` of audits with these groups would find (Noether 1987).

    Returns:
        None where Noether's approximation gives no effect below 1; then only groups that hardly overlap are found.
    """
    share = counts[0] / sum(counts)
    effect = _deviations_needed(tests) / math.sqrt(3 * sum(counts) * share * (1 - share))
    return effect if effect < 1 else None


def _deviations_needed(tests: int) -> float:
    normal = NormalDist()
    return normal.inv_cdf(1 - ALPHA / tests / 2) + normal.inv_cdf(POWER)
