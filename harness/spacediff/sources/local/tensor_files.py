"""Results of a library in a safetensors file: the tensors under their digests, and a JSON text that describes the rest.

Nothing in such a file is executed, and a tensor that is not what was written is refused.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from spacediff.files import move
from spacediff.observer.tensors import digest

if TYPE_CHECKING:
    import torch

_TEXT = "described"
"""Key of the JSON text in the metadata of the file."""

Keep = Callable[["torch.Tensor"], str]
"""Keeps a tensor in the file, and returns its name there."""
Take = Callable[[str], "torch.Tensor"]
"""Returns the tensor with this name."""
_Rebuilt = TypeVar("_Rebuilt")

DRAFTS = ".*.draft"
"""Pattern of what a killed process has not finished writing."""


def write_tensors(path: Path, describe: Callable[[Keep], dict[str, Any]]) -> None:
    """Write a file, in its folder, which is made when it is missing; a reader sees all of the file or none.

    Args:
        path: The file.
        describe: Returns the JSON text, and keeps tensors.

    Raises:
        OSError: The file cannot be written.
        TypeError: A result has a type that cannot be described.
    """
    from safetensors.torch import save_file

    tensors: dict[str, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> str:
        order = _layout(tensor)
        name = f"{digest(tensor)} {json.dumps(order)}"
        tensors[name] = tensor.detach().cpu().clone().permute(order).contiguous()
        return name

    text = describe(keep)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}.draft")
    try:
        save_file(tensors, draft, metadata={_TEXT: json.dumps(text)})
        move(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _layout(tensor: torch.Tensor) -> list[int]:
    """Return the axes in the order in which they lie in memory.

    A file has no strides, and a decoder computes other last bits from the same latents in another layout.
    """
    strides = tensor.stride()
    return sorted(range(tensor.ndim), key=lambda axis: (-strides[axis], axis))


def read_tensors(path: Path, rebuild: Callable[[dict[str, Any], Take], _Rebuilt]) -> _Rebuilt:
    """Read a file.

    Args:
        path: The file.
        rebuild: Makes the result of the JSON text and the tensors.

    Raises:
        ValueError: The file is not one that `write_tensors` wrote, or a tensor is not what was written.
        OSError: It cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt", device="cpu") as file:

            def take(name: str) -> torch.Tensor:
                found, _, order = name.partition(" ")
                stored: torch.Tensor = file.get_tensor(name)
                axes = json.loads(order)
                tensor = stored.permute([axes.index(axis) for axis in range(stored.ndim)])
                if digest(tensor) != found:
                    raise ValueError(f"{path.name} is damaged")
                return tensor

            return rebuild(json.loads((file.metadata() or {})[_TEXT]), take)
    except (SafetensorError, LookupError, TypeError, AttributeError, ImportError, RuntimeError) as error:
        raise ValueError(f"{path.name} does not hold what was expected") from error


def keep_newest(paths: Iterable[Path], most: int, most_bytes: float = math.inf) -> None:
    """Remove all files but the newest; the newest of all stays whatever its size.

    Args:
        paths: The files.
        most: How many stay.
        most_bytes: Their size in all.
    """
    total = 0
    for number, path in enumerate(sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True)):
        total += path.stat().st_size
        if number >= most or (number and total > most_bytes):
            path.unlink(missing_ok=True)
