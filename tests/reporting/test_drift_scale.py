"""The axis of the drifts: every value has its own place on it."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from spacediff.reporting.drift_scale import drift_scale


def share(place: str) -> float:
    return float(place.rstrip("%"))


@given(st.lists(st.floats(-0.5, 50), min_size=1, max_size=20))
def test_places_keep_the_order_and_stay_on_the_axis(drifts: list[float]) -> None:
    scale = drift_scale({str(n): drift for n, drift in enumerate(drifts)})
    places = [share(scale.place(mark.drift)) for mark in scale.marks]
    assert places == sorted(places)
    assert all(3 <= place <= 97 for place in places)
    assert scale.axis.low <= 0
    assert scale.axis.high >= 1


def test_large_drifts_do_not_share_a_place() -> None:
    scale = drift_scale({"a": 1.1, "b": 1.4})
    assert share(scale.place(1.4)) - share(scale.place(1.1)) > 10


def test_marks_at_one_place_are_stacked() -> None:
    scale = drift_scale({"a": 0.5, "b": 0.5, "c": 0.5, "d": 1.0})
    assert {mark.name: mark.level for mark in scale.marks} == {"a": 0, "b": 1, "c": 2, "d": 0}
    assert scale.levels == 2


def test_seeds_and_the_limit_lie_on_the_axis() -> None:
    scale = drift_scale({"a": 0.1}, seeds=[0.9, 1.7, math.inf], limit=2.5)
    assert scale.seeds == (0.9, 1.7)
    assert scale.axis.high >= 2.5
    assert share(scale.place(2.5)) <= 97


def test_an_infinite_drift_has_no_place() -> None:
    assert [mark.name for mark in drift_scale({"a": math.inf, "b": 0.2}).marks] == ["b"]
