from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from spacediff.interrupts import clear, install, raise_if_interrupted


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    clear()
    for each, handler in before.items():
        signal.signal(each, handler)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_that_was_swallowed_is_heeded_at_the_next_stop(sign: signal.Signals) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    install()
    raise_if_interrupted()
    with suppress(KeyboardInterrupt):  # as a finaliser does
        os.kill(os.getpid(), sign)
    with pytest.raises(KeyboardInterrupt):
        raise_if_interrupted()
    clear()
    raise_if_interrupted()


def test_who_was_started_deaf_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    install()
    os.kill(os.getpid(), signal.SIGINT)
    raise_if_interrupted()
