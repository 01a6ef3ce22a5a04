"""The distance from which on a run may end, and the benchmark that measures it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.early_stops import Pair, _bound
from spacediff.explaining.early_stops import RATIO, SMALLEST, far_from


def test_far_is_a_multiple_of_the_tolerance_and_never_nothing() -> None:
    assert far_from(9.0, 90.0) == pytest.approx(0.1 * RATIO)
    assert far_from(18.0, 90.0) == pytest.approx(2 * far_from(9.0, 90.0))
    assert far_from(0.0, 90.0) == pytest.approx(SMALLEST * RATIO)


def test_a_distance_counts_only_at_the_targets_noise_level() -> None:
    pair = Pair("f", "c", (0.1, 0.9, 0.3), (True, False, True), worst=10.0, between=100.0, codec=5.0)
    assert [pair.drift, pair.farthest, pair.ratio] == pytest.approx([0.1, 0.3, 3.0])
    assert (pair.end(0.2), pair.end(0.05), pair.end(0.5)) == (3, 1, None)


def test_the_bound_of_a_rate_is_three_in_so_many_where_none_was_seen() -> None:
    assert _bound(0, 150) == pytest.approx(0.02)
    assert _bound(0, 0) == _bound(0, 2) == 1.0
    assert 0.02 < _bound(1, 150) < 0.04


@pytest.mark.slow
def test_the_benchmark_reports_false_stops_and_makes_no_pair_twice(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    command = [sys.executable, "-m", "benchmarks.early_stops", "--fit", "flux", "--held-out", "flux", "--steps", "2"]
    reports = []
    for _ in range(2):
        done = subprocess.run([*command, "--pairs", pairs], capture_output=True, text=True, check=True)
        reports.append((done.stdout, pairs.read_text("utf-8")))
    assert reports[0] == reports[1]
    assert "largest ratio in" in reports[0][0]
    assert reports[0][0].count("false stops of") == 4
