"""When a step's distance may end a run: the rule, and where its number comes from.

The key insight: latents that are far apart at a step come to other pictures, but how far is far depends on the
tolerance, and on how much the rest of the steps can bring together again. So the rule is a ratio, and the largest one
that was measured is taken.
"""

from __future__ import annotations

RATIO = 2.3
"""Distance of latents at a step with the target's noise level, as a share of the distance between seeds, by the error
of the worst tile at the end, as a share of that between seeds: the largest of the pairs that `python -m
benchmarks.early_stops` measures on the families that give the rule, rounded up. docs/early-stops.md has the figures."""
SMALLEST = 0.02
"""Tolerances below this share of the worst tile between seeds count as it: 8-bit levels hide what is smaller."""


def far_from(tolerance: float, between: float) -> float:
    """Return the distance to the target from which on a clip is taken to differ by more than the tolerance.

    For `spacediff.run.Stop.far`: a share of the distance between seeds at the same step. The rule was measured on runs
    with the target's number of steps, and is wrong at a rate that docs/early-stops.md bounds: what decides a cause is
    verified by runs to the end.

    Args:
        tolerance: Largest error of a tile that counts as unseen, in levels.
        between: Error of the worst tile between the target and the nearest different seed, in levels, above 0.
    """
    return RATIO * max(tolerance / between, SMALLEST)
