"""What is scored while other clips are generated is what would have been scored afterwards."""

from __future__ import annotations

import errno
import os
import threading
from dataclasses import asdict
from pathlib import Path

import pytest

from spacediff.comparing.ahead import ScoringAhead
from spacediff.comparing.prompt import compare_prompt
from spacediff.metrics import METRICS
from spacediff.metrics.scoring import measure_clips
from spacediff.record import Role, RunRecord
from support.clips import moving_ball
from support.kept_runs import ignore_progress, kept

METRICS_HERE = METRICS[:3]


@pytest.fixture
def runs(tmp_path: Path) -> list[RunRecord]:
    """A reference, a baseline, other seeds, an equal clip and one that failed, in the order in which they finish."""
    failed = RunRecord(key="f", name="failed", role=Role.VARIANT, prompt="p", source="diffusers", measured=False,
                       reason="no device")  # fmt: skip
    return [
        kept(tmp_path, "reference", moving_ball(4), Role.REFERENCE, hosted=True),
        kept(tmp_path, "baseline", moving_ball(4, seed=4), Role.BASELINE),
        kept(tmp_path, "same", moving_ball(4)),
        failed,
        *(kept(tmp_path, f"seed-{seed}", moving_ball(4, seed=seed), Role.SEED) for seed in (1, 2)),
    ]


def compared(runs: list[RunRecord], folder: Path, ahead: ScoringAhead | None) -> dict[str, object]:
    scores = ahead.finish().get("p") if ahead else None
    found = asdict(compare_prompt(runs[0], runs[1:], folder, METRICS_HERE, ignore_progress, scores=scores))
    return {name: value for name, value in found.items() if name != "files"}


def begun(folder: Path) -> ScoringAhead:
    ahead = ScoringAhead("reference", folder, METRICS_HERE)
    ahead.begin()
    return ahead


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5], [1, 2, 0, 3, 4, 5], [0], [1, 2]])
def test_the_record_does_not_depend_on_when_a_clip_was_scored(
    runs: list[RunRecord], tmp_path: Path, order: list[int]
) -> None:
    expected = compared(runs, tmp_path, None)
    ahead = begun(tmp_path)
    for number in order:
        ahead.add(runs[number])
    assert compared(runs, tmp_path, ahead) == expected


def test_a_finished_run_is_scored_before_the_last_one_is_there(
    runs: list[RunRecord], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = threading.Event()

    def noting(*args: object, **kwargs: object) -> object:
        found = measure_clips(*args, **kwargs)  # type: ignore[arg-type]
        scored.set()
        return found

    monkeypatch.setattr("spacediff.comparing.scores.measure_clips", noting)
    ahead = begun(tmp_path)
    ahead.add(runs[0])
    ahead.add(runs[1])
    assert scored.wait(60)
    assert set(ahead.finish()["p"].sides) == {"baseline"}


def test_without_a_readable_reference_nothing_is_scored_ahead(runs: list[RunRecord], tmp_path: Path) -> None:
    (tmp_path / "reference.mp4").write_bytes(b"no video")
    ahead = begun(tmp_path)
    for run in runs:
        ahead.add(run)
    assert ahead.finish() == {}


def test_a_failure_is_left_to_whoever_compares(
    runs: list[RunRecord], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = compared(runs, tmp_path, None)
    failed = threading.Event()

    def fail(*_: object, **__: object) -> None:
        failed.set()
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr("spacediff.comparing.scores.measure_clips", fail)
        ahead = begun(tmp_path)
        for run in runs:
            ahead.add(run)
        assert failed.wait(60)
        ahead.finish()
    assert compared(runs, tmp_path, ahead) == expected


def test_without_a_finished_run_nothing_is_scored(tmp_path: Path) -> None:
    ahead = ScoringAhead("reference", tmp_path, METRICS_HERE)
    assert ahead.finish() == {}, "never begun"
    ahead = ScoringAhead("reference", tmp_path, METRICS_HERE)
    ahead.begin()
    assert ahead.finish() == {}
