"""Which curves a plot has, and what they are called."""

from __future__ import annotations

import pytest

from spacediff.reporting.axes import linear
from spacediff.reporting.plots import Series, plot


def labels(*series: Series) -> list[str]:
    drawn = plot(series, linear, str, first=0)
    return [] if drawn is None else [curve.label for curve in drawn.curves]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 1.0, 2.0], ["run 0, run 1", "run 2"]),
        ([1.0] * 6, ["all 6 runs"]),
        ([1.0] * 6 + [2.0], ["run 0 and 5 more", "run 6"]),
    ],
)
def test_runs_with_equal_values_share_one_curve_with_a_short_label(values: list[float], expected: list[str]) -> None:
    assert labels(*(Series(f"run {n}", [value]) for n, value in enumerate(values))) == expected


def test_series_without_any_value_draw_no_plot() -> None:
    assert labels(Series("baseline", [None, None])) == []
