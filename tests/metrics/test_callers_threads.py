"""How many threads OpenCV and numpy have while clips are scored."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch

from spacediff.clip import Frame
from spacediff.metrics import METRICS
from spacediff.metrics.callers_threads import _numpy, computing_in_callers
from spacediff.metrics.scoring import measure

pytestmark = pytest.mark.skipif(not _numpy().info(), reason="the library of this numpy has no such control")


@pytest.fixture(autouse=True)
def _usual() -> Iterator[None]:
    usual = cv2.getNumThreads()
    cv2.setNumThreads(3)
    with ThreadPoolExecutor(1) as controlling:  # as by whoever held it before and has let it go
        limit = controlling.submit(lambda: _numpy().limit(limits=3)).result()
    yield
    with ThreadPoolExecutor(1) as controlling:
        controlling.submit(limit.restore_original_limits).result()
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


def test_blocks_may_overlap_in_two_threads_that_go_on() -> None:
    first, second = computing_in_callers(), computing_in_callers()
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        one.submit(first.__enter__).result()
        other.submit(second.__enter__).result()
        one.submit(first.__exit__, None, None, None).result()
        assert threads() == {1}
        other.submit(second.__exit__, None, None, None).result()
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
    _numpy.cache_clear()  # so that the libraries of torch are among those that are looked at
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with computing_in_callers():
            assert torch.get_num_threads() == 2
            assert threads() == {1}
    finally:
        torch.set_num_threads(usual)
