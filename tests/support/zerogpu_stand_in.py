"""A stand-in for `spaces.GPU` on ZeroGPU: one forked worker, used again for every later call.

As in `thread_wrapper` and `GradioPartialContext` of the package `spaces` 0.51: the worker gets the arguments and, of
Gradio's context, the id of the event; the request stays that of the event during which it was forked.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import ModuleType
from typing import Any


class ForkedWorker:
    """A process that calls a function, forked when it is first called.

    Args:
        task: The function.
        zerogpu: Whether it is a worker of ZeroGPU, or one that knows of no event.
    """

    def __init__(self, task: Callable[..., Any], *, zerogpu: bool = True) -> None:
        self._task = task
        self._zerogpu = zerogpu
        self._one_at_a_time = threading.Lock()
        self._queues: tuple[Any, Any] | None = None

    def __call__(self, *arguments: Any) -> Any:
        from gradio.context import LocalContext

        with self._one_at_a_time:
            if self._queues is None:
                context = multiprocessing.get_context("fork")
                self._queues = context.SimpleQueue(), context.SimpleQueue()
                context.Process(target=self._work, args=self._queues, daemon=True).start()
            asked, answered = self._queues
            asked.put((arguments, LocalContext.event_id.get(None)))
            result, error = answered.get()
        if error:
            raise RuntimeError(error)
        return result

    def _work(self, asked: Any, answered: Any) -> None:
        from gradio.context import LocalContext

        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
        if self._zerogpu:
            wrappers = sys.modules["spaces.zero.wrappers"] = ModuleType("spaces.zero.wrappers")
            wrappers.forked = True  # type: ignore[attr-defined]
        while True:
            arguments, event = asked.get()
            if self._zerogpu:
                LocalContext.event_id.set(event)
            with ThreadPoolExecutor() as pool:
                done = pool.submit(copy_context().run, self._task, *arguments)
            error = done.exception()
            answered.put((None if error else done.result(), str(error or "")))


def _end_with(parent: int) -> None:
    """End this process when its parent has been killed."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(0)
