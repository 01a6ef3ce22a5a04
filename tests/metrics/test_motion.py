from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.color import rgb2lab

from spacediff.clip import bands
from spacediff.metrics.motion import MEASURES, FirstDivergence, first_divergence, measure, pooled_measure, ratio
from support.clips import moving_ball
from support.fuzzing import examples

BY_NAME = {each.info.name: each for each in MEASURES}
Frames = NDArray[np.uint8]


def picture(height: int = 140, width: int = 220, seed: int = 0) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for cell in (5, 13, 40):
        coarse = random.normal(0, 1, (height // cell + 2, width // cell + 2, 3)).astype(np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * cell**0.5
    scaled: NDArray[np.float32] = np.asarray(total / total.std() * 40 + 120, np.float32)
    return scaled


def pan(speed: float, frames: int = 4, height: int = 96, width: int = 144) -> Frames:
    """A camera pan to the right; speed in pixels per frame."""
    whole = picture()
    views = [
        cv2.warpAffine(
            whole,
            np.array([[1, 0, -10 - speed * number], [0, 1, -20]], np.float32),
            (width, height),
            flags=cv2.INTER_CUBIC,
        )
        for number in range(frames)
    ]
    return np.clip(np.rint(views), 0, 255).astype(np.uint8)


def pooled(frames: Frames, name: str) -> float:
    return pooled_measure(measure(frames), BY_NAME[name])


@pytest.mark.parametrize("speed", [0.5, 1, 2, 4, 8])
def test_a_pan_measures_its_speed(speed: float) -> None:
    diagonal = math.hypot(96, 144)
    assert pooled(pan(speed), "motion") * diagonal / 100 == pytest.approx(speed, rel=0.1)


def test_half_the_speed_is_half_the_motion_at_any_size() -> None:
    fast, slow = measure(pan(4)), measure(pan(2))
    assert ratio(slow, fast, BY_NAME["motion"]) == pytest.approx(0.5, rel=0.05)
    larger = np.stack([cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for frame in pan(4)])
    assert ratio(measure(larger), fast, BY_NAME["motion"]) == pytest.approx(1, rel=0.05)


def test_a_still_clip_has_no_motion_and_no_ratio_to_it() -> None:
    still = np.repeat(pan(0, 1), 5, axis=0)
    assert pooled(still, "motion") == 0
    assert ratio(measure(pan(2)), measure(still), BY_NAME["motion"]) is None
    assert ratio(measure(still), measure(pan(2)), BY_NAME["motion"]) == 0


def test_the_first_frame_has_no_motion_and_is_not_counted() -> None:
    table = measure(pan(2, frames=3))
    assert table["motion"].iloc[0] == 0
    assert pooled_measure(table, BY_NAME["motion"]) == pytest.approx(table["motion"].iloc[1:].mean())
    assert pooled(pan(2, frames=1), "motion") == 0


def test_a_picture_that_only_gets_brighter_has_little_motion() -> None:
    brighter = np.clip(pan(0).astype(int) + np.arange(4)[:, None, None, None] * 2, 0, 255).astype(np.uint8)
    assert pooled(brighter, "motion") < 0.2 * pooled(pan(1), "motion")


def test_values_equal_those_of_independent_implementations() -> None:
    """Luma and its Laplacian in NumPy, chroma by scikit-image."""
    frames = pan(1, frames=2)
    table = measure(frames)
    for row, frame in enumerate(frames.astype(float)):
        luma = frame @ [0.2126, 0.7152, 0.0722]
        padded = np.pad(luma, 1, mode="symmetric")
        laplacian = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:] - 4 * luma
        lab = rgb2lab(frames[row])
        assert table["brightness"][row] == pytest.approx(luma.mean(), abs=1e-3)
        assert table["contrast"][row] == pytest.approx(luma.std(), abs=1e-3)
        assert table["sharpness"][row] == pytest.approx(laplacian.var(), rel=1e-4)
        assert table["saturation"][row] == pytest.approx(np.hypot(lab[..., 1], lab[..., 2]).mean(), abs=0.2)


@pytest.mark.parametrize(
    ("colour", "brightness"), [((255, 0, 0), 54.213), ((0, 255, 0), 182.376), ((0, 0, 255), 18.411)]
)
def test_plain_colours_have_their_luma_and_no_contrast(colour: tuple[int, int, int], brightness: float) -> None:
    table = measure(np.full((1, 20, 30, 3), colour, np.uint8))
    assert table["brightness"][0] == pytest.approx(brightness, abs=1e-3)
    assert table["contrast"][0] == pytest.approx(0, abs=1e-3)
    assert table["sharpness"][0] == pytest.approx(0, abs=1e-3)
    assert table["saturation"][0] > 100


@pytest.mark.parametrize(
    ("name", "factor"), [("brightness", 0.8), ("contrast", 0.8), ("saturation", 0.0), ("sharpness", 0.3)]
)
def test_each_measure_reacts_to_its_own_change(name: str, factor: float) -> None:
    clip = pan(1, frames=2)
    grey = np.repeat(cv2.transform(clip[0], np.array([[0.2126, 0.7152, 0.0722]]))[..., None], 3, axis=2)
    changed = {
        "brightness": clip * 0.8,
        "contrast": (clip - clip.mean(axis=(1, 2), keepdims=True)) * 0.8 + clip.mean(axis=(1, 2), keepdims=True),
        "saturation": np.stack([grey, grey]),
        "sharpness": np.stack([cv2.GaussianBlur(frame, (0, 0), 2.5) for frame in clip]),
    }[name]
    table = measure(np.clip(np.rint(changed), 0, 255).astype(np.uint8))
    found = ratio(table, measure(clip), BY_NAME[name])
    assert found is not None
    assert found <= factor + 0.02
    assert name == "sharpness" or found == pytest.approx(factor, abs=0.02)
    if name != "brightness":
        assert ratio(table, measure(clip), BY_NAME["brightness"]) == pytest.approx(1, abs=0.02)


def test_tables_have_one_row_per_frame_and_no_missing_value() -> None:
    table = measure(moving_ball(5).frames)
    assert list(table.columns) == ["brightness", "contrast", "saturation", "sharpness", "motion"]
    assert len(table) == 5
    assert table.notna().all().all()
    assert len(measure([])) == 0


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (16, 200), (24, 300), (300, 24), (8, 500)])
def test_sizes_at_which_opencv_crashes_are_measured(size: tuple[int, int]) -> None:
    clip = np.random.default_rng(0).integers(0, 256, (2, *size, 3), dtype=np.uint8)
    assert np.isfinite(measure(clip)["motion"]).all()


@settings(max_examples=examples(30))
@given(st.integers(1, 90), st.integers(1, 400))
def test_any_size_is_measured(height: int, width: int) -> None:
    clip = np.random.default_rng(height).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    assert np.isfinite(measure(clip)).all().all()


def test_clips_diverge_where_the_error_exceeds_the_floor() -> None:
    errors = [0.0, 0.0, 0.1, 0.3, 0.6, 0.9, 0.2]
    assert first_divergence(errors, 0.0, 1.0) == FirstDivergence(beyond_floor=2, half_way=4)
    assert first_divergence(errors, 0.1, 1.0) == FirstDivergence(beyond_floor=3, half_way=4)
    assert first_divergence(errors, 0.0, 2.0) == FirstDivergence(beyond_floor=2, half_way=None)
    assert first_divergence([0.0, 0.0], 0.0, 1.0) == FirstDivergence(beyond_floor=None, half_way=None)
    assert first_divergence([1.0], 0.0, 1.0) == FirstDivergence(beyond_floor=0, half_way=0)


def test_half_way_needs_a_different_seed_beyond_the_floor() -> None:
    assert first_divergence([0.5, 2.0], 1.0, 1.0) == FirstDivergence(beyond_floor=1, half_way=None)
    assert first_divergence([math.nan, math.inf], 0.0, 1.0) == FirstDivergence(beyond_floor=1, half_way=1)


def test_a_large_frame_is_measured_in_bands_with_the_same_values(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = pan(1.5)
    whole = measure(frames)
    monkeypatch.setattr(bands, "MOST_PIXELS", 1500)
    assert len(list(bands.bands(frames[0]))) == 10
    np.testing.assert_allclose(measure(frames), whole, rtol=1e-5)
