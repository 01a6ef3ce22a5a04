"""`torch.npu` of the stand-in accelerator: what torch's own backends offer for devices, memory and random numbers.

torch loads it when it is imported (entry points of the group `torch.backends`), wherever this folder is on
`PYTHONPATH`. So the program under test needs no code for it. `support.standin.StandIn.environment` sets the variables
that it reads.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import accelerator
from torch.utils import backend_registration

_NAME = "npu"
_SIZE = int(os.environ.get("NPU_STANDIN_CAP") or 2**50)
"""Bytes that tensors may occupy."""

# torch counts through the device's allocator (`DeviceMemory` in device.cpp)
current_device = accelerator.current_device_index
device = accelerator.device_index
empty_cache = accelerator.empty_cache
max_memory_allocated = accelerator.max_memory_allocated
max_memory_reserved = accelerator.max_memory_reserved
mem_get_info = accelerator.get_memory_info
memory_allocated = accelerator.memory_allocated
memory_reserved = accelerator.memory_reserved
memory_stats = accelerator.memory_stats
reset_accumulated_memory_stats = accelerator.reset_accumulated_memory_stats
reset_peak_memory_stats = accelerator.reset_peak_memory_stats
set_device = accelerator.set_device_index
synchronize = accelerator.synchronize


def register() -> None:
    """Add the device to torch, cap its memory, and begin to report its use."""
    torch.ops.load_library(os.environ["NPU_STANDIN_LIBRARY"])
    backend_registration.rename_privateuse1_backend(_NAME)
    torch._register_device_module(_NAME, sys.modules[__name__])
    backend_registration.generate_methods_for_privateuse1_backend()
    set_cap(_SIZE)
    if report := os.environ.get("NPU_STANDIN_REPORT"):
        _report_to(Path(report))


def set_cap(size: int) -> None:
    """Set the bytes that tensors may occupy; what exceeds it raises `torch.OutOfMemoryError`."""
    torch.ops.npu_standin.set_cap(size)


def set_per_process_memory_fraction(fraction: float, _: Any = _NAME) -> None:
    """Cap what tensors may occupy, as a fraction of the memory that the device has at first."""
    set_cap(int(fraction * _SIZE))


def host_memory_allocated() -> int:
    """Return the bytes of host memory that torch allocated for tensors; mapped files do not count."""
    return int(torch.ops.npu_standin.host_allocated())


def max_host_memory_allocated() -> int:
    """Return the most bytes of host memory that tensors occupied since the last reset."""
    return int(torch.ops.npu_standin.max_host_allocated())


def reset_max_host_memory_allocated() -> None:
    torch.ops.npu_standin.reset_max_host_allocated()


@dataclass(frozen=True)
class Properties:
    """A device: its name, and the bytes of its memory, of which the context of this process takes a part."""

    name: str
    total_memory: int


def get_device_properties(_: Any = _NAME) -> Properties:
    return Properties("Stand-in accelerator", mem_get_info()[1])


def get_device_name(_: Any = _NAME) -> str:
    return get_device_properties().name


def is_available() -> bool:
    return True


def device_count() -> int:
    return 1


def is_initialized() -> bool:
    return True


def _is_in_bad_fork() -> bool:
    return False


def get_amp_supported_dtype() -> list[torch.dtype]:
    return [torch.float16, torch.bfloat16]


def manual_seed(seed: int) -> None:
    torch.ops.npu_standin.default_generator().manual_seed(seed)


manual_seed_all = manual_seed


def get_rng_state(_: Any = _NAME) -> torch.Tensor:
    state: torch.Tensor = torch.ops.npu_standin.default_generator().get_state()
    return state


def set_rng_state(state: torch.Tensor, _: Any = _NAME) -> None:
    torch.ops.npu_standin.default_generator().set_state(state)


def get_rng_state_all() -> list[torch.Tensor]:
    return [get_rng_state()]


def set_rng_state_all(states: Iterable[torch.Tensor]) -> None:
    for state in states:
        set_rng_state(state)


def _report_to(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{os.getpid()}.command").write_text("\0".join(sys.orig_argv), encoding="utf-8")
    torch.ops.npu_standin.report_to(str(folder / f"{os.getpid()}.memory"))
