"""How many threads OpenCV and numpy have while clips are scored."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from spacediff.clip import Frame
from spacediff.metrics import METRICS
from spacediff.metrics.callers_threads import _numpy, computing_in_callers
from spacediff.metrics.scoring import measure


@pytest.fixture(autouse=True)
def _usual() -> Iterator[None]:
    usual = cv2.getNumThreads()
    cv2.setNumThreads(3)
    with _numpy().limit(limits=3):
        yield
    cv2.setNumThreads(usual)


def threads() -> set[int]:
    """How many threads both have, and numpy in each of its libraries."""
    return {cv2.getNumThreads(), *(library["num_threads"] for library in _numpy().info())}


def test_overlapping_blocks_restore_the_number_of_threads_at_the_end_of_the_last() -> None:
    first, second = computing_in_callers(), computing_in_callers()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert threads() == {1}
    second.__exit__(None, None, None)
    assert threads() == {3}


def test_an_error_restores_it() -> None:
    with pytest.raises(ZeroDivisionError), computing_in_callers():
        raise ZeroDivisionError
    assert threads() == {3}


def test_scoring_leaves_them_no_threads_of_their_own() -> None:
    seen = []

    def frames() -> Iterator[Frame]:
        for level in (0, 50):
            seen.append(threads())
            yield np.full((16, 16, 3), level, np.uint8)

    measure(frames(), {"": frames()}, METRICS[:1])
    assert seen == [{1}] * 4
    assert threads() == {3}


def test_the_threads_of_torch_are_left_alone() -> None:
    import torch

    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with computing_in_callers():
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(usual)


@pytest.mark.skipif(sys.platform != "linux", reason="where the library of numpy's wheels is depends on the system")
def test_the_library_of_numpy_is_found() -> None:
    assert [library["user_api"] for library in _numpy().info()] == ["blas"]
