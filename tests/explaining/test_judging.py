"""Whether a clip reproduces the target: real clips on disk, made to order."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from spacediff.clip import Clip, write_lossless
from spacediff.errors import NotMeasuredError
from spacediff.explaining.judging import Judge
from spacediff.record import ClipRecord, Role, RunRecord
from support.clips import Frames


def recorded(folder: Path, name: str, frames: Frames, role: Role = Role.PROBE) -> RunRecord:
    clip = Clip(frames, Fraction(8))
    write_lossless(clip, folder / f"{name}.mkv")
    count, height, width = frames.shape[:3]
    there = ClipRecord(
        lossless=f"{name}.mkv", preview="", digest=clip.digest, frames=count, width=width, height=height, fps=8
    )
    return RunRecord(key="", name=name, role=role, prompt="p", source="diffusers", measured=True, clip=there)


def made(folder: Path, name: str, level: int, role: Role = Role.PROBE) -> RunRecord:
    """A grey clip with an object of 16x16 pixels that is so much brighter."""
    frames = np.full((3, 48, 48, 3), 100, np.uint8)
    frames[:, 8:24, 12:28] += np.uint8(level)
    return recorded(folder, name, frames, role)


def test_equal_clips_are_equal_and_within(tmp_path: Path) -> None:
    judged = Judge(made(tmp_path, "right", 10), tmp_path, 0.0)(made(tmp_path, "again", 10))
    assert (judged.equal, judged.within, judged.worst) == (True, True, None)


@pytest.mark.parametrize(("tolerance", "within"), [(4.0, True), (3.99, False)])
def test_the_worst_tile_is_compared_with_the_tolerance(tmp_path: Path, *, tolerance: float, within: bool) -> None:
    judged = Judge(made(tmp_path, "right", 10), tmp_path, tolerance)(made(tmp_path, "near", 14))
    assert (judged.equal, judged.within, judged.limit) == (False, within, tolerance)
    assert judged.worst
    assert (judged.worst.error, judged.worst.frame, judged.worst.x, judged.worst.y) == (4.0, 0, 12, 8)


@pytest.mark.parametrize("with_object", [False, True])
def test_a_lost_object_of_one_frame_is_visible_where_the_mean_is_far_below_the_tolerance(
    tmp_path: Path, *, with_object: bool
) -> None:
    scene = np.random.default_rng(1).integers(90, 110, (3, 480, 720, 3), dtype=np.uint8)
    target = scene.copy()
    target[1, 201:233, 333:365] = 180
    lost = target.copy() if with_object else scene.copy()
    lost[..., 0] += 1  # one level of one channel everywhere
    judged = Judge(recorded(tmp_path, "target", target), tmp_path, 5.0)(recorded(tmp_path, "lost", lost))
    assert np.abs(target.astype(int) - lost).mean() < 1
    assert judged.within is with_object
    assert judged.worst
    if not with_object:
        inside = (333 <= judged.worst.x <= 349) and (201 <= judged.worst.y <= 217)
        assert (judged.worst.frame, inside) == (1, True)


@pytest.mark.parametrize("shape", [(2, 48, 48, 3), (3, 48, 40, 3), (3, 64, 48, 3)])
def test_frames_of_another_number_or_size_are_not_within(tmp_path: Path, shape: tuple[int, ...]) -> None:
    grey = recorded(tmp_path, "grey", np.full(shape, 100, np.uint8))
    judged = Judge(made(tmp_path, "right", 0), tmp_path, 255.0)(grey)
    assert (judged.equal, judged.within, judged.worst) == (False, False, None)


def test_without_a_clip_nothing_is_judged(tmp_path: Path) -> None:
    there = made(tmp_path, "right", 0)
    missing = there.model_copy(update={"clip": None})
    assert Judge(there, tmp_path, 255.0)(missing).within is None
    assert Judge(missing, tmp_path, 255.0)(there).equal is None


def test_frames_that_were_judged_are_not_read_again(tmp_path: Path) -> None:
    judge = Judge(made(tmp_path, "right", 10), tmp_path, 1.0)
    near = made(tmp_path, "near", 11)
    assert judge(near).within
    (tmp_path / "near.mkv").unlink()
    assert judge(near.model_copy(update={"name": "probe-2"})).within
    assert near.clip
    unseen = near.clip.model_copy(update={"digest": "not judged yet"})
    with pytest.raises(NotMeasuredError, match="near"):
        judge(near.model_copy(update={"clip": unseen}))
