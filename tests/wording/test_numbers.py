from __future__ import annotations

import math
from typing import Any

import pytest

from spacediff.wording import numbers
from spacediff.wording.numbers import number
from support.synthetic_audit import METRICS

PSNR, SSIM, LPIPS = METRICS


@pytest.mark.parametrize(
    ("given", "info", "shown"),
    [
        (34.2149, PSNR, "34.21"),
        (math.inf, PSNR, "∞"),
        (0.98765, SSIM, "0.9877"),
        (1.0, SSIM, "1.0000"),
        (0.999999, SSIM, ">0.9999"),
        (0.0, LPIPS, "0.0000"),
        (0.0000031, LPIPS, "<0.0001"),
        (0.00006, LPIPS, "0.0001"),
        (-0.25, SSIM, "−0.2500"),
        (None, SSIM, "—"),
        (math.nan, PSNR, "—"),
    ],
)
def test_numbers_are_never_rounded_onto_what_they_are_not(given: float | None, info: Any, shown: str) -> None:
    assert number(given, info) == shown


def test_durations_moments_and_values_are_written_for_people() -> None:
    assert [numbers.duration(s) for s in (4.04, 59.4, 61, 7500)] == ["4.0 s", "59.4 s", "1 min 1 s", "2 h 5 min"]
    assert numbers.moment("2025-11-22T19:13:04+00:00") == "2025-11-22 19:13 UTC"
    assert numbers.moment("some day") == "some day"
    assert [numbers.value(v) for v in ("ddim", "", True, None, 7.0, [1, "a"])] == [
        "ddim",
        '""',
        "true",
        "None",
        "7.0",
        '[1, "a"]',
    ]
