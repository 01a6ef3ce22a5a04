"""The collector of garbage rests while libraries are imported, and then collects as before."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from spacediff.collecting import without_collecting


@pytest.fixture(autouse=True)
def _usual() -> Iterator[None]:
    usual = gc.isenabled()
    yield
    (gc.enable if usual else gc.disable)()


def test_the_end_of_the_last_of_overlapping_blocks_lets_it_collect_again() -> None:
    gc.enable()
    first, second = without_collecting(), without_collecting()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_an_error_lets_it_collect_again() -> None:
    gc.enable()
    with pytest.raises(ZeroDivisionError), without_collecting():
        raise ZeroDivisionError
    assert gc.isenabled()


def test_where_it_was_off_it_stays_off() -> None:
    gc.disable()
    with without_collecting():
        pass
    assert not gc.isenabled()
