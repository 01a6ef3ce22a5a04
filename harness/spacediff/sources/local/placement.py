"""Place a pipeline as the Settings say: on a device, or offloaded.

Without an accelerator, model and group offload use the CPU as their execution device, so that their hooks run on any
machine. A device that is missing is reported before anything is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spacediff.devices import OFFLOADS, accelerator, execution_device, missing, type_of
from spacediff.errors import DeviceUnavailable, OutOfMemory, UnsupportedSetting, failure, is_out_of_memory
from spacediff.settings import Settings


def default_placement() -> str:
    """Return the default placement: this machine's accelerator, or the CPU if there is none."""
    return accelerator() or "cpu"


BY_DEVICE_MAP = "device_map"
"""Placement of a pipeline that was placed while it was loaded."""


def placement_of(settings: Settings) -> str:
    """Return where a pipeline is placed: as declared, by a device map at loading, or by default."""
    if settings.value("load.device_map") is not None:
        return BY_DEVICE_MAP
    return settings.value("placement") or default_placement()


def refuse_what_cannot_run(settings: Settings) -> None:
    """Refuse Settings that need a device that is missing, before the checkpoint is loaded.

    Raises:
        DeviceUnavailable: This machine does not have the device.
        UnsupportedSetting: The generator is on an accelerator that the pipeline does not compute on, or the pipeline is
            placed in two ways.
    """
    if settings.value("load.device_map") is not None and settings.value("placement") is not None:
        raise UnsupportedSetting(
            f"placement = {settings.value('placement')!r} cannot be used with load.device_map: diffusers moves no "
            "pipeline that was placed while it was loaded",
            hint="leave one of the two out; a variant that sets load.device_map needs a baseline without placement",
        )
    asked = {path: settings.value(path) for path in ("placement", "rng.device")}
    affected: dict[str, list[str]] = {}
    for path, value in asked.items():
        if value not in {None, "global"} and (reason := _why_missing(value)):
            affected.setdefault(reason, []).append(f"{path} = {value!r}")
    if affected:
        raise DeviceUnavailable(
            "; ".join(f"{' and '.join(paths)} cannot be used: {reason}" for reason, paths in affected.items()),
            hint="run the audit on a machine that has the device; `spacediff doctor` lists what this one has",
        )
    _refuse_distant_generator(asked["rng.device"], execution_device(asked["placement"]))


def place(pipeline: Any, placement: str) -> None:
    """Place a pipeline: move it to a device, or set up offloading.

    Raises:
        DeviceUnavailable: The placement fails on this machine.
        OutOfMemory: The device has too little memory.
        UnsupportedSetting: The pipeline has no such offloading.
    """
    if placement == BY_DEVICE_MAP:
        return
    device = execution_device(placement)
    way, _, _ = placement.partition(":")
    if way in OFFLOADS and not hasattr(pipeline, f"enable_{way}"):
        raise UnsupportedSetting(
            f"{type(pipeline).__name__} has no enable_{way}", hint="place it on one device, such as cuda or cpu"
        )
    ways: dict[str, Callable[[], Any]] = {
        "model_cpu_offload": lambda: pipeline.enable_model_cpu_offload(device=device),
        "sequential_cpu_offload": lambda: pipeline.enable_sequential_cpu_offload(device=device),
        "group_offload": lambda: _group_offload(pipeline, device),
    }
    try:
        ways.get(way, lambda: pipeline.to(device))()
    except Exception as error:
        kind = OutOfMemory if is_out_of_memory(error) else DeviceUnavailable
        raise kind(
            f"{placement} could not be set up on {device}: {failure(error)}",
            hint="this placement needs an accelerator" if device == "cpu" else "",
        ) from error


def _why_missing(value: str) -> str:
    """Explain why this machine lacks the device of a placement or a generator; empty if it has it."""
    way, _, number = value.partition(":")
    if way not in OFFLOADS:
        return missing(value)
    return missing(execution_device(value)) if accelerator() or not number else "this machine has no accelerator"


def _refuse_distant_generator(generator: str | None, device: str) -> None:
    """Refuse noise that diffusers cannot draw: of other devices than the pipeline's, it takes only the CPU's."""
    if generator in {None, "cpu", "global"} or type_of(str(generator)) == type_of(device):
        return
    here = "'cpu'" if device == "cpu" else f"'cpu' or '{type_of(device)}'"
    raise UnsupportedSetting(
        f"rng.device = {generator!r} draws the noise on another device than the pipeline's, which is {device}",
        hint=f"set rng.device to {here}, or place the pipeline on {generator!r}",
    )


def _group_offload(pipeline: Any, device: str) -> None:
    import torch

    pipeline.enable_group_offload(onload_device=torch.device(device), offload_type="leaf_level")
