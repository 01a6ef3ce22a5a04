"""How many clips a side two groups need, so that a permutation test of them can show anything.

The key insight: p is never smaller than the share of the most extreme division. So the sizes of the groups and the
number of tests alone say whether a finding is possible, before a single clip is generated.
"""

from __future__ import annotations

import math

ALPHA = 0.05
"""Rate of candidates with a false finding that is accepted, over all tests that belong together."""

MOST_DIVISIONS = 20_000
"""Divisions that are tried: all of them up to eight clips a side, beyond that as many drawn at random."""

MOST_CLIPS = 10_000
"""A larger number of clips is no advice."""

MOST_SAMPLES = 64
"""Most clips of a side; memory and time of the tests grow with its square."""

MEASURES_OF_CLIPS = 9
"""Tests of a prompt's groups, without those of what the clips show."""

MEASURES_OF_PICTURES = 8
"""The same of pictures, in which nothing moves."""


def fewest_clips(tests: int) -> int | None:
    """Return the fewest clips a side with which one of so many tests can find anything, however large it is.

    Returns:
        None where there are so many tests that no number is enough.
    """
    if not able(MOST_CLIPS, MOST_CLIPS, tests):
        return None
    return next(n for n in range(2, MOST_CLIPS) if able(n, n, tests))


def able(first: int, second: int, tests: int) -> bool:
    """Whether groups of these sizes can show any difference, however large, in so many tests."""
    return smallest_p(first, second) * tests <= ALPHA


def smallest_p(first: int, second: int) -> float:
    """Return the smallest p that two groups of these sizes can give."""
    divisions = math.comb(first + second, first)
    return 2 / (divisions if divisions <= MOST_DIVISIONS else MOST_DIVISIONS + 1)
