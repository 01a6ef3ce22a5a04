"""The devices that torch computes on: their names, placements on them, which this machine has, and their memory.

The key insight: torch has a module of the same functions for every type of accelerator (`torch.cuda`, `torch.xpu`, …;
`torch.get_device_module`), so nothing here is written for one type alone. A function that a module lacks gives None or
changes nothing; no number is made up. Nothing here allocates memory on a device.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from spacediff.extras import has_torch

if TYPE_CHECKING:
    import torch

ACCELERATORS = ("cuda", "mps", "xpu", "npu")
"""Types of accelerators, by torch's names. `cuda` is also the name of AMD's cards (ROCm), `xpu` of Intel's, `mps` of
Apple's, and `npu` of Huawei's, whose backend registers itself with torch (PrivateUse1)."""
TYPES = ("cpu", *ACCELERATORS)
NAME = rf"cpu|({'|'.join(ACCELERATORS)})(:[0-9]{{1,3}})?"
"""Pattern of a device's name: a type, and for one of several accelerators its number, as in `cuda:1`."""
OFFLOADS = ("model_cpu_offload", "sequential_cpu_offload", "group_offload")
"""Placements that keep the weights in the machine's memory and compute on an accelerator."""
PLACEMENT = rf"{NAME}|({'|'.join(OFFLOADS)})(:[0-9]{{1,3}})?"
"""Pattern of a placement: a device's name, or offloading, with the accelerator's number where there are several."""

_MAKERS_NAMES = {"cuda": "CUDA", "mps": "MPS", "xpu": "XPU", "npu": "NPU"}


def is_device(name: str) -> bool:
    """Whether a text is the name of a device, on this machine or not."""
    return re.fullmatch(NAME, name) is not None


def type_of(name: str) -> str:
    """Return the type of a device: `cuda` for `cuda:1`."""
    return name.partition(":")[0]


def compute_differently(left: object, right: object) -> bool:
    """Whether two placements compute on different types of devices; offloading computes on any accelerator.

    So does a pipeline without a placement (None), as far as the values tell.
    """
    types = {OFFLOADS[0] if each is None else type_of(str(each)) for each in (left, right)}
    if not all(is_device(each) or each in OFFLOADS for each in types):
        return False
    return len(types - {*OFFLOADS}) > 1 or ("cpu" in types and len(types) > 1)


def index_of(name: str) -> int:
    """Return the number of a device among those of its type; 0 for a name without one."""
    return int(name.partition(":")[2] or 0)


def platform_of(device_type: str) -> str:
    """Return the name by which people know the type of a device: `CUDA`, `ROCm`, `MPS`, `XPU`, `NPU` or `CPU`."""
    import torch

    if device_type == "cuda" and torch.version.hip:
        return "ROCm"
    return _MAKERS_NAMES.get(device_type, device_type.upper())


def accelerator() -> str | None:
    """Return the type of this machine's accelerator, or None; the first in `ACCELERATORS` if there are several."""
    return next((name for name in ACCELERATORS if count(name)), None)


def accelerators() -> tuple[str, ...]:
    """Return the names of all accelerators of this machine, each with its number, such as `cuda:0`."""
    return tuple(f"{name}:{index}" for name in ACCELERATORS for index in range(count(name)))


def execution_device(placement: str | None) -> str:
    """Return the name of the device that a placement computes on.

    Args:
        placement: A device's name; or offloading, which computes on this machine's accelerator, or on the CPU if there
            is none; None for the default placement, this machine's accelerator or the CPU.
    """
    way, _, number = (placement or "").partition(":")
    if way in TYPES:
        return str(placement)
    name = accelerator() or "cpu"
    return f"{name}:{number}" if number and name != "cpu" else name


def count(device_type: str) -> int:
    """Count the devices of a type; creates no context on any of them. Without torch there are none but the CPU."""
    if device_type == "cpu":
        return 1
    if not has_torch():
        return 0
    import torch

    if device_type == "mps":
        return int(torch.backends.mps.is_available())
    module = _module(device_type)
    return module.device_count() if module is not None and module.is_available() else 0


def missing(name: str) -> str:
    """Explain why this machine does not have a device; empty if it has it."""
    device_type = type_of(name)
    if not is_device(name):
        return f"{name!r} is not the name of a device"
    found = count(device_type)
    if index_of(name) < found:
        return ""
    label = platform_of(device_type)
    if not found:
        return _not_built(device_type) or f"this machine has no {label} device"
    if found == 1:
        return f"this machine has one {label} device, {device_type}:0"
    return f"this machine has {found} {label} devices, {device_type}:0 to {device_type}:{found - 1}"


def memory_in_use() -> int:
    """Count the bytes that tensors of this process occupy on accelerators.

    An accelerator that this process has not used counts as 0 and is not initialised; one whose module does not count
    its memory is left out.
    """
    used = 0
    for name in accelerators():
        module = _module(type_of(name))
        if type_of(name) == "mps":
            used += module.current_allocated_memory()
        elif _is_initialized(module) and hasattr(module, "memory_allocated"):
            used += module.memory_allocated(index_of(name))
    return used


def free_memory(name: str) -> tuple[int, int] | None:
    """Return the free and the total bytes of a device; None if they are unknown.

    Asking a CUDA or XPU device creates this process's context on it, which takes some hundred MB there. MPS shares the
    machine's memory: its total is the working set that Metal recommends, and free is what neither this process nor the
    machine uses of it.
    """
    if missing(name):
        return None
    import psutil

    machine = psutil.virtual_memory()
    if type_of(name) == "cpu":
        return machine.available, machine.total
    module = _module(type_of(name))
    if type_of(name) == "mps":
        total: int = module.recommended_max_memory()
        return max(0, min(total - module.driver_allocated_memory(), machine.available)), total
    return tuple(module.mem_get_info(index_of(name))) if hasattr(module, "mem_get_info") else None


def release_cached_memory() -> None:
    """Return the memory that torch keeps for reuse on accelerators to the system."""
    for device_type in ACCELERATORS:
        module = _module(device_type)
        if count(device_type) and _is_initialized(module) and hasattr(module, "empty_cache"):
            module.empty_cache()


def rng_state(name: str) -> torch.Tensor | None:
    """Return the state of an accelerator's global generator; None for the CPU, and where there is no such generator."""
    module: Any = None if name == "cpu" else _module(type_of(name))
    return module.get_rng_state(index_of(name)) if hasattr(module, "get_rng_state") else None


def set_rng_state(name: str, state: torch.Tensor) -> None:
    """Give an accelerator's global generator a state that `rng_state` has returned."""
    _module(type_of(name)).set_rng_state(state, index_of(name))


def _module(device_type: str) -> Any:
    """Return torch's module of a type of device; None where a backend is not installed."""
    import torch

    return getattr(torch, device_type, None)


def _is_initialized(module: Any) -> bool:
    """Whether this process has used the devices of a module; a module that does not say so needs no initialisation."""
    return bool(module.is_initialized()) if hasattr(module, "is_initialized") else module is not None


def _not_built(device_type: str) -> str:
    """Explain that the installed torch has no support for a type of device; empty if it has, or if that is unknown."""
    import torch

    built = {
        "cuda": torch.version.cuda or torch.version.hip,
        "mps": torch.backends.mps.is_built(),
        "xpu": torch.version.xpu,
        "npu": _module("npu"),
    }
    if built[device_type]:
        return ""
    return f"the installed torch {torch.__version__} is built without {platform_of(device_type)}"
