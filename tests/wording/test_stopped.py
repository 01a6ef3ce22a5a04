"""What is said of runs that ended early."""

from __future__ import annotations

from typing import Any

import pytest

from spacediff.record import SpreadRecord, StoppedRecord
from spacediff.wording import spread_text, stopped_text


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            {"step": 1, "first": 1, "distances": [0.411], "relative": [0.2]},
            "stopped at step 1 of 50, latents at 0.41 of the distance between seeds",
        ),
        (
            {"step": 2, "first": 1, "distances": [0.0004, None], "relative": [0.0002, None]},
            "stopped at step 2 of 50, latents at 0.0004 of the distance between seeds",
        ),
        (
            {"step": 1, "first": 1, "relative": [0.05]},
            "stopped at step 1 of 50, latents different by 0.05 of their norm",
        ),
        ({"step": 1, "first": 1, "relative": [None]}, "stopped at step 1 of 50, latents different"),
        ({"step": 50}, "stopped at step 50 of 50, all latents equal bitwise"),
        ({"step": 7}, "stopped at step 7 of 50, latents equal bitwise so far"),
        (
            {"step": 1, "first": 1, "distances": [0.0001], "relative": [0.0001], "resolution": 2**-11},
            "stopped at step 1 of 50, latents different, by less than the kept latents resolve (0.0005 of their norm)",
        ),
    ],
)  # fmt: skip
def test_the_sentence_says_where_it_ended_and_how_far_it_was(found: dict[str, Any], said: str) -> None:
    assert stopped_text(StoppedRecord(target="t", steps=50, made=found["step"], **found)) == said


def test_the_spread_names_its_limits_and_the_rate_of_false_alarms() -> None:
    said = spread_text(SpreadRecord(reruns=5, limits=[0.0055, 0.013], false_alarms=0.001))
    assert "5 re-runs of the first steps differ" in said
    assert "by no more than 0.005 after step 1 and 0.01 after step 2" in said
    assert said.endswith("one in 1,000 runs without any change differs by more.")
    late = spread_text(SpreadRecord(reruns=5, limits=[0.0, 0.0], false_alarms=0.001))
    assert "although 5 re-runs of the first 2 steps came out equal. What differs only later and cannot be seen" in late
    assert "unknown" in spread_text(SpreadRecord(reruns=0, limits=[], false_alarms=0.001))
