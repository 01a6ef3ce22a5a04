from __future__ import annotations

import numpy as np
import pytest

from spacediff.clip import Clip
from spacediff.metrics.levels import Levels, levels
from spacediff.record import FactKind, fact
from support.clips import moving_ball, with_frames

CLIP = moving_ball(3)


def confused(clip: Clip, *, squeezed: bool) -> Clip:
    """The confusion applied to RGB, channel by channel; close enough to that on luma and chroma."""
    values = clip.frames.astype(float)
    return with_frames(clip, np.rint(16 + values * 219 / 255 if squeezed else (values - 16) * 255 / 219))


@pytest.mark.parametrize(("squeezed", "found"), [(True, Levels.SQUEEZED), (False, Levels.STRETCHED)])
@pytest.mark.parametrize("seed", range(4))
def test_a_confused_range_is_detected_and_corrected(squeezed: bool, found: Levels, seed: int) -> None:  # noqa: FBT001 - a case
    clip = moving_ball(3, seed=seed)
    wrong = confused(clip, squeezed=squeezed)
    assert levels(zip(clip.frames, wrong.frames, strict=True)) is found
    before = np.abs(wrong.frames.astype(int) - clip.frames).mean()
    corrected = np.stack([found.corrected(frame) for frame in wrong.frames])
    assert np.abs(corrected.astype(int) - clip.frames).mean() < before / 3


@pytest.mark.parametrize(("squeezed", "found"), [(True, Levels.STRETCHED), (False, Levels.SQUEEZED)])
def test_either_clip_may_be_the_wrong_one(squeezed: bool, found: Levels) -> None:  # noqa: FBT001 - a case
    wrong = confused(CLIP, squeezed=squeezed)
    assert levels(zip(wrong.frames, CLIP.frames, strict=True)) is found
    assert found.notes == (fact(FactKind.LEVELS_DIFFER, squeezed=not squeezed),)


@pytest.mark.parametrize("wrong_is_reference", [False, True])
def test_a_confused_range_is_detected_despite_clipping(wrong_is_reference: bool) -> None:  # noqa: FBT001 - a case
    wide = with_frames(CLIP, (CLIP.frames.astype(float) - 128) * 2.2 + 128)
    clipped = confused(wide, squeezed=False)
    assert ((clipped.frames == 0) | (clipped.frames == 255)).mean() > 0.2
    sides = (clipped, wide) if wrong_is_reference else (wide, clipped)
    found = Levels.SQUEEZED if wrong_is_reference else Levels.STRETCHED
    assert levels(zip(*(side.frames for side in sides), strict=True)) is found


@pytest.mark.parametrize("change", [0, 3, 30])
def test_a_change_of_brightness_is_not_a_confused_range(change: int) -> None:
    other = with_frames(CLIP, CLIP.frames.astype(int) + change)
    assert levels(zip(CLIP.frames, other.frames, strict=True)) is Levels.KEPT


@pytest.mark.parametrize("seed", range(1, 12))
def test_a_different_sample_is_not_a_confused_range(seed: int) -> None:
    assert levels(zip(CLIP.frames, moving_ball(3, seed=seed).frames, strict=True)) is Levels.KEPT


def test_more_contrast_is_not_a_confused_range() -> None:
    harder = with_frames(CLIP, (CLIP.frames.astype(float) - 128) * 1.6 + 128)
    assert levels(zip(CLIP.frames, harder.frames, strict=True)) is Levels.KEPT


def test_frames_with_equal_levels_are_not_changed() -> None:
    frame = CLIP.frames[0]
    assert Levels.KEPT.corrected(frame) is frame
