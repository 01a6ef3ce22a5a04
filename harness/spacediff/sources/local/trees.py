"""Results of a library that contain tensors: apply a function to the tensors, and describe the rest as JSON.

A description names the output classes of diffusers and nothing else, so that reading one runs no code of a stranger.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def mapped(change: Callable[[torch.Tensor], Any], value: Any) -> Any:
    """Apply a function to all tensors in a library's result; other values stay."""
    import torch

    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, dict):  # the output classes of diffusers are dicts whose class takes the entries as keywords
        return type(value)(**{key: mapped(change, entry) for key, entry in value.items()})
    if isinstance(value, list | tuple):
        return type(value)([mapped(change, entry) for entry in value])
    return value


def described(value: Any, keep: Callable[[torch.Tensor], Any]) -> Any:
    """Describe a library's result as JSON.

    Args:
        value: Tensors, plain values, lists, tuples, and output classes of diffusers.
        keep: Keeps a tensor, and returns the JSON that stands for it.

    Raises:
        TypeError: The result contains something else.
    """
    import torch

    if isinstance(value, torch.Tensor):
        return {"tensor": keep(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return {"plain": value}
    if type(value) in {list, tuple}:
        return {type(value).__name__: [described(entry, keep) for entry in value]}
    if _is_output(type(value)):
        return {
            "output": [type(value).__module__, type(value).__qualname__],
            "entries": {key: described(entry, keep) for key, entry in value.items()},
        }
    raise TypeError(f"{type(value).__name__} is no result that can be kept")


def rebuilt(description: Any, take: Callable[[Any], Any]) -> Any:
    """Make the result that `described` has described.

    Args:
        description: What `described` returned.
        take: Returns the tensor for the JSON that stands for it.

    Raises:
        ValueError: The description is none of these.
    """
    match description:
        case {"tensor": kept}:
            return take(kept)
        case {"plain": value}:
            return value
        case {"list": [*entries]}:
            return [rebuilt(entry, take) for entry in entries]
        case {"tuple": [*entries]}:
            return tuple(rebuilt(entry, take) for entry in entries)
        case {"output": [str(module), str(name)], "entries": dict(named)}:
            return _output_class(module, name)(**{key: rebuilt(entry, take) for key, entry in named.items()})
    raise ValueError("not the description of a result")


def _output_class(module: str, name: str) -> Any:
    if not module.startswith("diffusers."):
        raise ValueError(f"{module} is not part of diffusers")
    found = getattr(importlib.import_module(module), name, None)
    if not (isinstance(found, type) and _is_output(found)):
        raise ValueError(f"{module} has no output class {name}")
    return found


def _is_output(kind: type) -> bool:
    from diffusers.utils import BaseOutput

    return issubclass(kind, BaseOutput) and kind.__module__.startswith("diffusers.")
