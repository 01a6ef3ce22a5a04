"""How much memory this machine has, without taking any of it: asking a card for its free memory creates a context."""

from __future__ import annotations

from pathlib import Path

import psutil

from spacediff.devices import free_memory, index_of, missing, type_of

_GROUP = Path("/sys/fs/cgroup")
"""Where Linux shows the limits of a container, version 2 (docs.kernel.org/admin-guide/cgroup-v2.html)."""


def total_memory(device: str) -> int | None:
    """Return the bytes of a device, `cpu` for the machine's memory; None if they are unknown, or it is not there."""
    if device == "cpu":
        return host_memory()[1]
    if missing(device):
        return None
    import torch

    module = getattr(torch, type_of(device))
    if hasattr(module, "get_device_properties"):
        properties = module.get_device_properties(index_of(device))
        if total := getattr(properties, "total_memory", None):
            return int(total)
    known = free_memory(device)
    return known[1] if known else None


def host_memory() -> tuple[int, int]:
    """Return the available and the total bytes of this machine's memory, swap space included, or of its container."""
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    available, total = memory.available + swap.free, memory.total + swap.total
    limit, used = _number("memory.max"), _number("memory.current")
    if limit is None or limit >= total:
        return available, total
    return min(available, max(0, limit - (used or 0))), limit


def _number(name: str) -> int | None:
    try:
        text = (_GROUP / name).read_text("ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None
