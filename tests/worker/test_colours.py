from __future__ import annotations

import numpy as np

from spacediff.worker.colours import only_colour


def clip(*levels: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.stack([np.full((4, 6, 3), level, np.uint8) for level in levels])


def test_a_colour_within_what_a_codec_does_to_it_is_one() -> None:
    assert only_colour(clip(0, 0)) == [0, 0, 0]
    assert only_colour(clip(14, 16)) == [15, 15, 15]


def test_a_clip_that_changes_in_time_or_place_shows_something() -> None:
    assert only_colour(clip(0, 3)) is None
    dotted = clip(0, 0)
    dotted[1, 2, 3, 1] = 200
    assert only_colour(dotted) is None
