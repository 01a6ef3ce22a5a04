"""Measure duration and memory of the stages of a generation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

from spacediff.observer.observation import StageCost

_READ_EVERY = 0.05
"""Seconds between two measurements of the memory in use."""


class StageClock:
    """Measures the stages; a new stage ends the one before.

    Args:
        on_end: Called at the end of each stage, with its cost.
    """

    def __init__(self, on_end: Callable[[StageCost], None]) -> None:
        self._on_end = on_end
        self._name = ""
        self._began = 0.0
        self._peak = 0
        self._read = 0.0
        self._process = psutil.Process()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a block as one stage."""
        self.enter(name)
        yield
        self.close()

    def enter(self, name: str) -> None:
        """Begin a stage and end the one before; does nothing if this stage is running already."""
        if name != self._name:
            self.close()
            self._name, self._began, self._peak = name, time.monotonic(), 0
            _reset_peak()

    def read_memory(self) -> None:
        """Read the memory in use, at most once per `_READ_EVERY` seconds, because reading takes time."""
        now = time.monotonic()
        if now - self._read >= _READ_EVERY or not self._peak:
            self._peak = max(self._peak, _allocated() or self._process.memory_info().rss)
            self._read = now

    def close(self) -> None:
        """End the running stage, if there is one."""
        if self._name:
            self.read_memory()
            self._on_end(StageCost(self._name, time.monotonic() - self._began, self._peak))
            self._name = ""


def _allocated() -> int:
    import torch

    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0


def _reset_peak() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
