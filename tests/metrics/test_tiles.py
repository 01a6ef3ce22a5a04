from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter

from spacediff.clip import bands
from spacediff.metrics.tiles import SIDE, worst_of_clips, worst_tile
from support.fuzzing import examples


@settings(max_examples=examples(20), deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    most_pixels=st.sampled_from([bands.MOST_PIXELS, 400]),
)
def test_the_worst_tile_is_the_largest_of_all_means(seed: int, height: int, width: int, most_pixels: int) -> None:
    random = np.random.default_rng(seed)
    one, other = random.integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bands, "MOST_PIXELS", most_pixels)  # a frame with more is looked at in strips
        tile = worst_tile(one, other)
    rows, columns = min(SIDE, height), min(SIDE, width)
    difference = np.abs(one.astype(float) - other).mean(axis=2)
    means = uniform_filter(difference, (rows, columns), origin=(-(rows // 2), -(columns // 2)))  # SciPy's box filter
    assert tile.error == pytest.approx(means[: height - rows + 1, : width - columns + 1].max(), rel=1e-12)
    inside = difference[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width]
    assert inside.shape == (rows, columns)
    assert tile.error == pytest.approx(inside.mean(), rel=1e-12)


def test_equal_frames_have_no_error() -> None:
    frame = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    assert worst_tile(frame, frame.copy()).error == 0


def test_an_object_is_found_wherever_it_lies() -> None:
    empty = np.full((48, 64, 3), 100, np.uint8)
    for x, y in ((0, 0), (7, 13), (64 - SIDE, 48 - SIDE)):
        frame = empty.copy()
        frame[y : y + SIDE, x : x + SIDE] = 130
        tile = worst_tile(empty, frame)
        assert (tile.error, tile.x, tile.y) == (30.0, x, y)


def test_the_worst_frame_of_a_clip_counts() -> None:
    clip = np.full((4, 32, 32, 3), 100, np.uint8)
    other = clip + np.array([0, 2, 9, 4], np.uint8)[:, None, None, None]
    tile = worst_of_clips(clip, other)
    assert tile
    assert (tile.error, tile.frame) == (9.0, 2)
    assert worst_of_clips([], []) is None
    assert worst_of_clips(clip, other[:3]) is None, "a frame has no partner"
    assert worst_of_clips(clip[:3], other) is None
