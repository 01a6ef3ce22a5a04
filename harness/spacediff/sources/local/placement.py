"""Place a pipeline as the Settings say: on a device, or offloaded.

Without an accelerator, model and group offload use the CPU as their execution device, so that their hooks run on any
machine. A device that is missing is reported before anything is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spacediff.errors import DeviceUnavailable, OutOfMemory, failure, is_out_of_memory
from spacediff.settings import Settings


def default_placement() -> str:
    """Return the default placement: the CUDA device, or the CPU if there is none."""
    return "cuda" if _cuda() else "cpu"


def refuse_what_cannot_run(settings: Settings) -> None:
    """Refuse Settings that need a device that is missing, before the checkpoint is loaded.

    Raises:
        DeviceUnavailable: This machine does not have the device.
    """
    import torch

    available = {"cuda": _cuda(), "mps": torch.backends.mps.is_available()}
    asked = [(path, settings.value(path)) for path in ("placement", "rng.device")]
    missing = [f"{path} = '{device}'" for path, device in asked if not available.get(device, True)]
    if missing:
        raise DeviceUnavailable(
            f"{' and '.join(missing)} needs a device that this machine does not have",
            hint="run the audit on a machine that has it; `spacediff doctor` lists what this machine has",
        )


def place(pipeline: Any, placement: str) -> None:
    """Place a pipeline: move it to a device, or set up offloading.

    Raises:
        DeviceUnavailable: The placement fails on this machine.
        OutOfMemory: The device has too little memory.
    """
    device = "cuda" if _cuda() else "cpu"
    ways: dict[str, Callable[[], Any]] = {
        "cuda": lambda: pipeline.to("cuda"),
        "cpu": lambda: pipeline.to("cpu"),
        "model_cpu_offload": lambda: pipeline.enable_model_cpu_offload(device=device),
        "sequential_cpu_offload": lambda: pipeline.enable_sequential_cpu_offload(device=device),
        "group_offload": lambda: _group_offload(pipeline, device),
    }
    try:
        ways[placement]()
    except Exception as error:
        kind = OutOfMemory if is_out_of_memory(error) else DeviceUnavailable
        raise kind(
            f"{placement} could not be set up on {device}: {failure(error)}",
            hint="" if device == "cuda" else "this placement needs an accelerator",
        ) from error


def _group_offload(pipeline: Any, device: str) -> None:
    import torch

    pipeline.enable_group_offload(onload_device=torch.device(device), offload_type="leaf_level")


def _cuda() -> bool:
    import torch

    return torch.cuda.is_available()
