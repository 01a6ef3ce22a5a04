"""Who knows the machine of a source: torch knows this one, and the Hub that of a Space."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from spacediff.reading.machines import NO_ACCELERATOR, Machine
from spacediff.reading.model import Reading

MachineLookUp: TypeAlias = Callable[[Reading], Machine | None]
"""Returns the machine that a source runs on, given what was read of it without one; None if it is unknown."""

_HOSTED_GPU = re.compile(r"(zero|t4|l4|l40s|a10g|a100|h100|h200|b200|rtx)[a-z0-9-]*?(x(?P<count>\d+))?")
"""Hardware of Spaces with NVIDIA cards, such as `t4-small`, `zero-a10g` and `a10g-largex2` (huggingface_hub's
`SpaceHardware`)."""


def unknown_machine(_: Reading) -> None:
    """Answer for a source of which nobody knows where it runs."""


def this_machine(_: Reading | None = None) -> Machine | None:
    """Return this machine; None if torch cannot be imported, so that nobody can tell what it would find."""
    from spacediff.devices import accelerator, count

    try:
        found = accelerator()
    except (ImportError, OSError):  # OSError: a library that torch loads is missing
        return None
    return Machine(found or NO_ACCELERATOR, "this machine", count(found) if found else 1)


def hosted_machine(hardware: str, *, zero_gpu: bool) -> Machine | None:
    """Return the machine of a Space; None if it is unknown.

    Args:
        hardware: What the Hub reports, such as `cpu-basic`; empty if it is unknown.
        zero_gpu: Whether the source uses `@spaces.GPU`, which gives CUDA on ZeroGPU and changes nothing elsewhere.
    """
    if hardware.startswith("cpu-"):
        return Machine(NO_ACCELERATOR, f"the Space's hardware, {hardware}")
    found = _HOSTED_GPU.fullmatch(hardware)
    if found:
        return Machine("cuda", f"the Space's hardware, {hardware}", int(found["count"] or 1))
    return Machine("cuda", "ZeroGPU") if zero_gpu and not hardware else None


def hosted_on(hardware: str) -> MachineLookUp:
    """Return the look-up for the source of a Space with this hardware."""
    return lambda reading: hosted_machine(hardware, zero_gpu=reading.uses_zero_gpu)
