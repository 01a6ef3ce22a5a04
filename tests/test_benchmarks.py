from __future__ import annotations

import math

import pytest

from benchmarks.__main__ import greatest_difference


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
def test_no_value_that_is_no_number_passes_for_an_equal_one(
    ours: list[float], theirs: list[float], difference: float
) -> None:
    assert greatest_difference(ours, theirs) == pytest.approx(difference, nan_ok=True)
    assert (greatest_difference(ours, theirs) <= 1e-5) == (difference <= 1e-5)
