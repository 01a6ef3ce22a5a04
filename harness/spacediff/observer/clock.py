"""Measure duration and memory of the stages of a generation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .observation import StageCost
from .resident import Resident

if TYPE_CHECKING:
    import torch

_READ_EVERY = 0.05
"""Seconds between two measurements of the memory in use."""


class StageClock:
    """Measures the stages; a new stage ends the one before.

    Args:
        on_end: Called at the end of each stage, with its cost.
        device: The device that the pipeline computes on, whose memory is measured.
        resets: Whether each stage begins a new peak; not in a process that may read the peak itself.
    """

    def __init__(self, on_end: Callable[[StageCost], None], device: torch.device, *, resets: bool = True) -> None:
        self._on_end = on_end
        self._memory = _Memory(device, resets=resets)
        self._name = ""
        self._began = 0.0
        self._peak = 0
        self._read = 0.0

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
            self._memory.reset()

    def read_memory(self) -> None:
        """Read the memory in use, at most once per `_READ_EVERY` seconds, because reading takes time."""
        now = time.monotonic()
        if now - self._read >= _READ_EVERY or not self._peak:
            self._take_peak()
            self._read = now

    def close(self) -> None:
        """End the running stage, if there is one."""
        if self._name:
            self._take_peak()
            self._on_end(StageCost(self._name, time.monotonic() - self._began, self._peak))
            self._name = ""

    def _take_peak(self) -> None:
        self._peak = max(self._peak, self._memory.read())


class _Memory:
    """The memory of the device that a pipeline computes on, in bytes.

    An accelerator whose module in torch counts no memory is measured like the CPU: by what is resident in this process.
    """

    def __init__(self, device: torch.device, *, resets: bool) -> None:
        import torch

        self._device = device
        self._resets = resets
        self._module: Any = None if device.type == "cpu" else getattr(torch, device.type, None)
        counting = "max_memory_allocated", "current_allocated_memory"  # the latter on MPS
        self._process = None if any(hasattr(self._module, name) for name in counting) else Resident(resets=resets)

    def reset(self) -> None:
        """Begin a new peak, where one is counted."""
        if self._process is not None:
            self._process.reset()
        elif self._resets and hasattr(self._module, "reset_peak_memory_stats"):
            self._module.reset_peak_memory_stats(self._device)

    def read(self) -> int:
        """Return the peak since the last reset, or the memory in use now where no peak is counted."""
        if self._process is not None:
            return self._process.read()
        if hasattr(self._module, "max_memory_allocated"):
            return int(self._module.max_memory_allocated(self._device))
        return int(self._module.current_allocated_memory())
