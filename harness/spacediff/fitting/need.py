"""What a run needs on its device and in the machine's memory, from its weights, its activations and its placement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spacediff.devices import OFFLOADS, execution_device, type_of
from spacediff.fitting.weights import Component

MARGIN = 1.25
"""What a device needs for activations, as a multiple of what tensors occupy: workspaces of convolutions and unused
remains of the allocator's blocks. With it the estimates for CogVideoX-2b are the 33, 19 and 11 GB (resident, with
`model_cpu_offload`, with tiling too) of the page on CogVideoX in diffusers' documentation; without, they are 29.5, 15.6
and 11.3."""
CONTEXT = 2**29
"""Bytes of the context that a process has on an accelerator: CUDA's takes some hundred MB."""
OFFLOAD_COPIES = 1.2
"""What offloading needs in the machine's memory, as a multiple of the weights."""


@dataclass(frozen=True)
class Part:
    """A component of a pipeline in memory, in bytes.

    Attributes:
        weights: All its weights.
        largest: Its largest tensor.
        activations: What it needs besides them while it computes; 0 where that is unknown.
    """

    weights: int
    largest: int = 0
    activations: int = 0


@dataclass(frozen=True)
class Need:
    """What a run needs, in bytes.

    Attributes:
        device: On its accelerator; 0 for a run on the CPU.
        host: In the machine's memory.
    """

    device: int
    host: int


@dataclass(frozen=True)
class Memory:
    """The memory that a run needs, as far as it is known before it begins.

    Attributes:
        device: Name of the device, `cpu` for the machine's memory.
        need: Bytes.
        whole: Whether activations are part of it; otherwise it is the least that the run needs.
    """

    device: str
    need: int
    whole: bool


def parts_of(
    components: Sequence[Component],
    dtype: str | None,
    activations: Mapping[str, int] | None = None,
    extra: Mapping[str, int] | None = None,
) -> tuple[Part, ...]:
    """Return the parts of a checkpoint.

    Args:
        components: Its models.
        dtype: The data type that it is loaded with; None for the libraries' defaults.
        activations: Component to bytes, where they are known.
        extra: Component to bytes that it keeps in float32 beyond the data type.
    """
    beside, more = activations or {}, extra or {}
    return tuple(
        Part(each.loaded(dtype) + more.get(each.name, 0), each.largest(dtype), beside.get(each.name, 0))
        for each in components
    )


def need(parts: Sequence[Part], placement: str | None) -> Need:
    """Compute what a run needs.

    Args:
        parts: The parts of its pipeline.
        placement: Where it is placed; None for the default of this machine.
    """
    weights = sum(part.weights for part in parts)
    way = (placement or "").partition(":")[0]
    if type_of(execution_device(placement)) == "cpu":
        copies = OFFLOAD_COPIES if way in OFFLOADS else 1
        return Need(0, int(copies * weights + max(part.activations for part in parts)))
    return Need(on_device(parts, way), int(OFFLOAD_COPIES * weights) if way in OFFLOADS else weights)


def memory_of(parts: Sequence[Part], placement: str | None) -> Memory:
    """Return the memory that a run needs where it computes; see `need`."""
    needed, device = need(parts, placement), execution_device(placement)
    whole = any(part.activations for part in parts)
    return Memory(device, needed.host if type_of(device) == "cpu" else needed.device, whole=whole)


def on_device(parts: Sequence[Part], way: str) -> int:
    """Compute the bytes that a way of placing needs on an accelerator: an offload's name, or resident with any other.

    Activations count with `MARGIN`; without any, the result is a lower bound.
    """
    beside = [int(MARGIN * part.activations) for part in parts]
    if way == "model_cpu_offload":  # one component at a time
        most = max(part.weights + each for part, each in zip(parts, beside, strict=True))
    elif way in OFFLOADS:  # one layer at a time
        most = max(part.largest + each for part, each in zip(parts, beside, strict=True))
    else:
        most = sum(part.weights for part in parts) + max(beside)
    return most + CONTEXT
