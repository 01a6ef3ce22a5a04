from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from spacediff.errors import NotMeasuredError
from spacediff.record import FactKind
from spacediff.wording import sentence
from support.clips import Frames, moved, resized
from support.scenes import SAME, aligned, ball, by_number, encoded, error, scene


@pytest.mark.parametrize("shift", [(1, 0), (0, -1), (-3, 2), (7, 5)])
@pytest.mark.parametrize("clip", [SAME, ball(3)], ids=["scene", "ball"])
def test_a_whole_pixel_shift_is_aligned(clip: Frames, shift: tuple[int, int]) -> None:
    candidate = moved(clip, *shift)
    found = aligned(clip, candidate)
    assert found.shift == shift
    assert not found.trivial
    assert error(found, clip, candidate) == 0
    (dx, dy), (height, width) = shift, clip.shape[1:3]
    assert found.crop == (max(0, -dx), max(0, -dy), width - abs(dx), height - abs(dy))
    assert f"{abs(dx or dy)} px" in sentence(found.notes[0])


@pytest.mark.parametrize("shift", [(0.5, 0), (1.4, 0), (0, -2.5)])
def test_a_shift_by_a_fraction_of_a_pixel_is_not_accepted(shift: tuple[float, float]) -> None:
    assert aligned(SAME, moved(SAME, *shift)).trivial


def test_a_moved_object_is_not_a_shift_of_the_picture() -> None:
    candidate = SAME.copy()
    candidate[:, 10:50, 20:60] = moved(SAME, 3, 0)[:, 10:50, 20:60]
    assert aligned(SAME, candidate).trivial


def test_a_moved_half_is_not_a_shift_of_the_picture() -> None:
    clip = SAME.copy()
    clip[:, :, 48:] = (clip[:, :, 48:].astype(int) - 120) // 4 + 120
    candidate = clip.copy()
    candidate[:, :, :48] = moved(clip, 3, 0)[:, :, :48]
    assert aligned(clip, candidate).trivial
    assert aligned(clip, moved(clip, 3, 0)).shift == (3, 0)


def test_one_object_on_a_flat_background_is_not_evidence_of_a_shift() -> None:
    def disc(row: int) -> Frames:
        frames = np.full((16, 64, 96, 3), 200, np.uint8)
        for number, frame in enumerate(frames):
            cv2.circle(frame, (16 + 4 * number, row), 10, (40, 40, 60), -1, cv2.LINE_AA)
        return frames

    assert aligned(disc(30), disc(33)).trivial


def test_a_shift_that_explains_less_than_half_is_not_accepted() -> None:
    noise = np.random.default_rng(0).normal(0, 1, SAME.shape)

    def noisy(level: float) -> Frames:
        return np.clip(np.rint(moved(SAME, 1, 0) + noise * level), 0, 255).astype(np.uint8)

    assert aligned(SAME, noisy(5)).shift == (1, 0)
    assert aligned(SAME, noisy(18)).trivial


@pytest.mark.parametrize("factor", [2, 4, 1.5])
def test_an_upscaled_clip_is_scaled_down_again(factor: float) -> None:
    candidate = resized(SAME, round(96 * factor), round(64 * factor))
    found = aligned(SAME, candidate)
    assert found.scale == (factor, factor)
    assert found.frame_map == by_number(16)
    assert error(found, SAME, candidate) < 0.5
    assert found.notes[0].values["candidate_scaled_to"] == [96, 64]
    assert found.notes[0].values["confirmed"]
    turned = aligned(candidate, SAME)
    assert turned.scale == (1 / factor, 1 / factor)
    assert error(turned, candidate, SAME) == pytest.approx(error(found, SAME, candidate))


def test_a_different_sample_in_a_different_size_is_scaled_but_not_confirmed() -> None:
    found = aligned(SAME, resized(scene(seed=9), 192, 128))
    assert (found.scale, found.shift) == ((2, 2), (0, 0))
    assert not found.notes[0].values["confirmed"]


def test_sizes_that_imageio_rounded_up_are_rounded_down_again(tmp_path: Path) -> None:
    clip = np.ascontiguousarray(SAME[:, :60, :90])
    candidate = encoded(clip, tmp_path)
    assert candidate.shape[1:3] == (64, 96)
    found = aligned(clip, candidate)
    assert found.scale == pytest.approx((96 / 90, 64 / 60))
    assert next(found.of_candidate(candidate)).shape == (60, 90, 3)
    plain = encoded(SAME, tmp_path)
    assert error(found, clip, candidate) < 1.5 * error(aligned(SAME, plain), SAME, plain)


def test_the_bars_of_a_letterboxed_clip_are_removed() -> None:
    candidate = np.zeros((16, 128, 256, 3), np.uint8)
    candidate[:, :, 32:224] = resized(SAME, 192, 128)
    found = aligned(SAME, candidate)
    assert found.geometry.candidate_box == (32, 0, 192, 128)
    assert found.scale == (2, 2)
    assert error(found, SAME, candidate) < 0.5
    assert found.notes[0].kind is FactKind.BARS


def test_blurred_and_speckled_bars_are_found_to_the_pixel(tmp_path: Path) -> None:
    clip = scene(height=96, width=144)
    candidate = np.zeros((16, 192, 400, 3), np.uint8)
    candidate[:, :, 56:344] = resized(clip, 288, 192)
    found = aligned(clip, encoded(candidate, tmp_path))
    assert found.geometry.candidate_box == (56, 0, 288, 192)
    specks = np.random.default_rng(0).random(candidate.shape[:3]) < 0.005
    candidate[specks] = 60
    assert aligned(clip, candidate).geometry.candidate_box == (56, 0, 288, 192)


def test_bars_inside_the_same_size_are_found_but_not_around_a_different_sample() -> None:
    def boxed(frames: Frames) -> Frames:
        whole = np.zeros_like(frames)
        whole[:, 8:56, 12:84] = resized(frames, 72, 48, cv2.INTER_AREA)
        return whole

    found = aligned(SAME, boxed(SAME))
    assert found.geometry.candidate_box == (12, 8, 72, 48)
    assert error(found, SAME, boxed(SAME)) == 0
    assert aligned(SAME, boxed(scene(seed=9))).trivial


def test_a_cropped_clip_is_compared_with_its_region() -> None:
    candidate = np.ascontiguousarray(SAME[:, 8:-8, 12:-20])
    found = aligned(SAME, candidate)
    assert found.crop == (12, 8, 64, 48)
    assert error(found, SAME, candidate) == 0
    assert found.notes[0].values["cropped"]


def test_a_crop_of_the_same_shape_is_not_scaled() -> None:
    candidate = np.ascontiguousarray(SAME[:, 8:-8, 12:-12])
    found = aligned(SAME, candidate)
    assert (found.scale, found.crop) == ((1, 1), (12, 8, 72, 48))
    smaller = resized(SAME, 72, 48, cv2.INTER_AREA)
    assert aligned(SAME, smaller).crop == (0, 0, 96, 64)


def test_a_square_crop_of_an_upscaled_clip_is_found() -> None:
    candidate = np.ascontiguousarray(resized(SAME, 144, 96)[:, :, 24:120])
    found = aligned(SAME, candidate)
    assert (found.scale, found.crop) == ((1.5, 1.5), (16, 0, 64, 64))
    assert error(found, SAME, candidate) < 1


def test_a_faint_common_pattern_is_not_a_crop() -> None:
    random = np.random.default_rng(0)
    reference, other = (random.normal(0, 1, (8, 64, width, 1)).repeat(3, axis=3) for width in (96, 64))

    def shown(values: NDArray[np.float64]) -> Frames:
        return np.clip(values * 30 + 128, 0, 255).astype(np.uint8)

    with pytest.raises(NotMeasuredError):
        aligned(shown(reference), shown(other + 0.3 * reference[:, :, 20:84]))
    assert aligned(shown(reference), shown(0.3 * other + reference[:, :, 20:84])).crop == (20, 0, 64, 64)


def test_a_different_shape_is_compared_only_if_the_pictures_agree() -> None:
    assert aligned(SAME, resized(SAME, 96, 96)).scale == (1, 1.5)
    with pytest.raises(
        NotMeasuredError, match="the reference is 96x64 pixels, this clip 96x96, and no region is visible in both"
    ):
        aligned(SAME, resized(scene(seed=9), 96, 96))
