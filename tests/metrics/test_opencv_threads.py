"""How many threads OpenCV has while clips are scored."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from spacediff.clip import Frame
from spacediff.metrics import METRICS
from spacediff.metrics.opencv_threads import opencv_in_callers
from spacediff.metrics.scoring import measure


@pytest.fixture(autouse=True)
def _usual() -> Iterator[None]:
    usual = cv2.getNumThreads()
    cv2.setNumThreads(3)
    yield
    cv2.setNumThreads(usual)


def test_overlapping_blocks_restore_the_number_of_threads_at_the_end_of_the_last() -> None:
    first, second = opencv_in_callers(), opencv_in_callers()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert cv2.getNumThreads() == 1
    second.__exit__(None, None, None)
    assert cv2.getNumThreads() == 3


def test_an_error_restores_it() -> None:
    with pytest.raises(ZeroDivisionError), opencv_in_callers():
        raise ZeroDivisionError
    assert cv2.getNumThreads() == 3


def test_scoring_leaves_opencv_no_threads_of_its_own() -> None:
    seen = []

    def frames() -> Iterator[Frame]:
        for level in (0, 50):
            seen.append(cv2.getNumThreads())
            yield np.full((16, 16, 3), level, np.uint8)

    measure(frames(), {"": frames()}, METRICS[:1])
    assert set(seen) == {1}
    assert cv2.getNumThreads() == 3
