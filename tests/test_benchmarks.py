from __future__ import annotations

import math

import pytest

from benchmarks.__main__ import largest_difference


@pytest.mark.parametrize(
    ("ours", "theirs", "difference"),
    [
        ([1.0, 2.0], [1.0, 2.5], 0.5),
        ([math.inf, 40.0], [math.inf, 40.25], 0.25),
        ([math.inf], [90.0], math.inf),
        ([1.0, math.nan, 9.0], [1.0, 3.0, 2.0], math.nan),
        ([math.nan], [math.nan], math.nan),
    ],
)
def test_nan_never_counts_as_an_equal_value(ours: list[float], theirs: list[float], difference: float) -> None:
    assert largest_difference(ours, theirs) == pytest.approx(difference, nan_ok=True)
    assert (largest_difference(ours, theirs) <= 1e-5) == (difference <= 1e-5)
