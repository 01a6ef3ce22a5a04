"""Whether a clip reproduces the target: real clips on disk, made to order."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from spacediff.clip import Clip, write_lossless
from spacediff.errors import NotMeasuredError
from spacediff.explaining.probes import Budget, Same
from spacediff.explaining.search import BudgetSpentError
from spacediff.record import ClipRecord, Role, RunRecord


def made(folder: Path, name: str, level: int, role: Role = Role.PROBE) -> RunRecord:
    frames = np.full((3, 32, 32, 3), 100, np.uint8)
    frames[:, 8:16, 8:16] += np.uint8(level)
    clip = Clip(frames, Fraction(8))
    write_lossless(clip, folder / f"{name}.mkv")
    there = ClipRecord(lossless=f"{name}.mkv", preview="", digest=clip.digest, frames=3, width=32, height=32, fps=8)
    return RunRecord(key="", name=name, role=role, prompt="p", source="diffusers", measured=True, clip=there)


def test_a_clip_within_what_a_rerun_differs_is_the_same(tmp_path: Path) -> None:
    right = made(tmp_path, "right", 10)
    again = [made(tmp_path, "baseline", 10, Role.BASELINE), made(tmp_path, "rerun", 14, Role.RERUN)]
    same = Same(right, again, tmp_path)
    assert same(made(tmp_path, "near", 11))
    assert not same(made(tmp_path, "far", 30))
    exact = Same(right, [again[0], made(tmp_path, "rerun-2", 10, Role.RERUN)], tmp_path)
    assert not exact(made(tmp_path, "near", 11)), "where a re-run is equal byte for byte, so a probe has to be"


def test_frames_that_were_judged_are_not_looked_at_again(tmp_path: Path) -> None:
    again = [made(tmp_path, "baseline", 10, Role.BASELINE), made(tmp_path, "rerun", 14, Role.RERUN)]
    same = Same(made(tmp_path, "right", 10), again, tmp_path)
    near = made(tmp_path, "near", 11)
    assert same(near)
    (tmp_path / "near.mkv").unlink()
    assert same(near.model_copy(update={"name": "probe-2"}))
    assert near.clip
    unseen = near.clip.model_copy(update={"digest": "not judged yet"})
    with pytest.raises(NotMeasuredError, match="near"):
        same(near.model_copy(update={"clip": unseen}))


def test_a_budget_is_spent_once() -> None:
    budget = Budget(1)
    budget.spend()
    with pytest.raises(BudgetSpentError):
        budget.spend()
