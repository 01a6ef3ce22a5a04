"""After which errors a worker process can go on."""

from __future__ import annotations

import errno

import pytest
import torch

from spacediff.errors import DeviceUnavailable, GenerationFailed, OutOfMemory
from spacediff.worker.child import _failed


def caused(error: Exception, by: Exception) -> Exception:
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "code", "sound"),
    [
        (DeviceUnavailable("no cuda:7", hint="h"), "device-unavailable", True),
        (ValueError("a bug"), "generation-failed", True),
        (OSError(errno.ENOSPC, "No space left on device"), "disk-full", True),
        (torch.OutOfMemoryError("CUDA out of memory"), "out-of-memory", False),
        (caused(OutOfMemory("the device ran out of memory"), torch.OutOfMemoryError("x")), "out-of-memory", False),
        (MemoryError(), "out-of-memory", False),
        (
            caused(GenerationFailed("the generation failed"), RuntimeError("CUDA error: an illegal memory access was")),
            "generation-failed",
            False,
        ),
        (RuntimeError("a CUDA error is only mentioned"), "generation-failed", True),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_process_is_sound_unless_its_memory_or_its_device_failed(error: Exception, code: str, sound: bool) -> None:  # noqa: FBT001
    answer = _failed(error)
    assert (answer.code, answer.sound) == (code, sound)
