"""Where the parts of a pipeline are and compute: on a device, or offloaded in one of the library's ways."""

from __future__ import annotations

from typing import Any


def placement_of(pipeline: Any) -> Any:
    """Return the placement by the name that a scenario has for it; a device map as a table."""
    if mapped := getattr(pipeline, "hf_device_map", None):
        return {str(name): str(device) for name, device in mapped.items()}
    modules = [part for part in pipeline.components.values() if hasattr(part, "named_modules")]
    hooks = [hook for module in modules for hook in _hooks_of(module)]
    names = {type(hook).__name__ for hook in hooks}
    if "CpuOffload" in names:
        return "model_cpu_offload"
    if any(getattr(hook, "offload", False) for hook in hooks):
        return "sequential_cpu_offload"
    if any(_is_group_offloaded(module) for module in modules):
        return "group_offload"
    first = [next(module.parameters(), None) for module in modules]
    devices = sorted({str(parameter.device) for parameter in first if parameter is not None})
    return devices[0].removesuffix(":0") if len(devices) == 1 else devices


def is_on(device: str, wanted: str) -> bool:
    """Whether a device is the wanted one; `cuda` is `cuda:0`, and as the wanted one any of its type."""
    return device.removesuffix(":0") == wanted.removesuffix(":0") or device.partition(":")[0] == wanted


def _hooks_of(module: Any) -> list[Any]:
    own = [getattr(each, "_hf_hook", None) for each in module.modules()]
    return [inner for hook in own if hook is not None for inner in (*getattr(hook, "hooks", ()), hook)]


def _is_group_offloaded(module: Any) -> bool:
    registries = (getattr(each, "_diffusers_hook", None) for each in module.modules())
    return any("group_offloading" in getattr(each, "hooks", {}) for each in registries if each is not None)
