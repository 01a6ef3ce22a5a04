"""The weights of a run's pipeline: kept in host memory once, and released when the run is over.

The key insight: a run's modules share the loaded weights, which nothing changes. So a module that goes back to the CPU
takes the loaded weights again, and needs no copy from the device.
"""

# ruff: noqa: SLF001 - torch has no other access to the parameters of one module by name
from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_Kept = dict[str, Any]
"""Name to parameter or buffer of one module, with the tensor that it had in host memory."""


def modules_of(pipeline: Any) -> Iterator[tuple[str, torch.nn.Module]]:
    """Yield the components of a pipeline that have weights, by name."""
    import torch

    for name, component in pipeline.components.items():
        if isinstance(component, torch.nn.Module):
            yield name, component


def keep_host_weights(pipeline: Any) -> None:
    """Make the modules of a pipeline take their present weights again whenever they are moved to the CPU.

    Offloading moves modules to the CPU after use. `Module.to` would copy their weights into new host memory: for a
    checkpoint of 20 GiB, 20 GiB more.

    Args:
        pipeline: A pipeline whose weights are on the CPU.
    """
    for _, component in modules_of(pipeline):
        kept = {module: (dict(module._parameters), dict(module._buffers)) for module in component.modules()}
        data = {
            id(parameter): parameter.data
            for parameters, _ in kept.values()
            for parameter in parameters.values()
            if parameter is not None
        }
        for module in kept:
            module.__dict__["to"] = functools.partial(_moved, module, kept, data)


def _moved(
    module: torch.nn.Module,
    kept: dict[torch.nn.Module, tuple[_Kept, _Kept]],
    data: dict[int, torch.Tensor],
    *args: Any,
    **kwargs: Any,
) -> torch.nn.Module:
    """Do what `module.to` does; the way back to the CPU restores the kept weights, if their dtypes fit."""
    import torch

    device, dtype, *_ = torch._C._nn._parse_to(*args, **kwargs)
    if device is None or device.type != "cpu" or not _as_kept(module, dtype, kept, data):
        moved: torch.nn.Module = type(module).to(module, *args, **kwargs)
        return moved
    for each in module.modules():
        parameters, buffers = kept.get(each, ({}, {}))
        for name, parameter in parameters.items():
            if parameter is not None:
                parameter.data = data[id(parameter)]
            each._parameters[name] = parameter
        each._buffers.update(buffers)
    return module


def _as_kept(
    module: torch.nn.Module,
    dtype: torch.dtype | None,
    kept: dict[torch.nn.Module, tuple[_Kept, _Kept]],
    data: dict[int, torch.Tensor],
) -> bool:
    """Whether the kept weights and buffers have the dtypes that a module's will have, which may have been converted."""
    for each in module.modules():
        parameters, buffers = kept.get(each, ({}, {}))
        of_parameters = {name: data[id(found)] for name, found in parameters.items() if found is not None}
        now = {**each._parameters, **each._buffers}
        for name, tensor in {**of_parameters, **buffers}.items():
            present = now.get(name)
            if tensor is None or present is None:
                continue
            wanted = dtype if dtype is not None and present.is_floating_point() else present.dtype
            if tensor.dtype is not wanted:
                return False
    return True


def empty(module: torch.nn.Module) -> None:
    """Release the parameters of a module; device and dtype can still be asked for."""
    import torch

    for each in module.modules():
        for name, parameter in each._parameters.items():
            if parameter is not None:
                # not `new_empty`, which tensors that are quantised do not know
                nothing = torch.empty(0, dtype=parameter.dtype, device=parameter.device)
                each._parameters[name] = torch.nn.Parameter(nothing, requires_grad=False)


def release(pipeline: Any) -> None:
    """Release what a pipeline holds after its run, even if reference cycles keep it alive for a while."""
    for _, component in modules_of(pipeline):
        empty(component)
        for module in component.modules():
            module._buffers.update(dict.fromkeys(module._buffers))
            module.__dict__.pop("to", None)
