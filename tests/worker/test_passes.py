"""Passes over the frames of a clip: what is reported, and how all of them end with one."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

import numpy as np
import pytest

from spacediff.interrupts import clear, handlers_kept, install
from spacediff.worker import passes as module
from spacediff.worker.passes import Passes
from support.listeners import RememberingListener

FRAME = np.zeros((2, 2, 3), np.uint8)


def endless(passes: Passes) -> None:
    while True:
        passes.on_frame()
        time.sleep(0.001)


def test_short_work_is_not_reported() -> None:
    passes, heard = Passes(10), RememberingListener()
    with ThreadPoolExecutor() as pool:
        passing: list[Future[object]] = [pool.submit(lambda: len([*passes.over([FRAME] * 5)])) for _ in range(2)]
        passes.wait(passing, heard, "writing")
    assert [each.result() for each in passing] == [5, 5]
    assert not heard.texts


def test_the_frames_of_all_passes_are_counted_while_they_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SHORT_SECONDS", 0.0)
    monkeypatch.setattr(module, "_LOOKED_EVERY", 0.01)
    passes, heard, seen = Passes(10), RememberingListener(), threading.Event()

    def three() -> None:
        for _ in passes.over([FRAME] * 3):
            pass
        seen.wait(10)

    def looked(done: int, total: int) -> None:
        RememberingListener.on_step(heard, done, total)
        if done == 6:
            seen.set()

    heard.on_step = looked  # type: ignore[method-assign]
    with ThreadPoolExecutor() as pool:
        passes.wait([pool.submit(three), pool.submit(three)], heard, "writing")
    assert heard.texts == ["writing"]
    assert heard.steps[-1] == (6, 10)


def test_a_pass_that_fails_ends_the_others() -> None:
    passes = Passes(10)

    def fails() -> None:
        raise OSError("the disk is full")

    with ThreadPoolExecutor() as pool:
        other = pool.submit(endless, passes)
        with pytest.raises(OSError, match="disk is full"):
            passes.wait([other, pool.submit(fails)], RememberingListener(), "writing")
    assert isinstance(other.exception(10), CancelledError)


def test_an_interrupt_ends_all_at_their_next_frame() -> None:
    passes = Passes(10)
    with handlers_kept():
        install()
        with ThreadPoolExecutor() as pool:
            one = pool.submit(endless, passes)
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
            began = time.monotonic()
            with pytest.raises(KeyboardInterrupt):
                passes.wait([one], RememberingListener(), "writing")
        clear()
    assert time.monotonic() - began < 5
    assert isinstance(one.exception(10), CancelledError)
