"""The tensors of a call that are kept beside their digests: embeddings, the initial noise, latents of chosen steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..observer.structure import schedulers_of
from .writing import TENSORS

if TYPE_CHECKING:
    import torch

_SPREAD = 5
"""Steps whose latents are kept where none are chosen: the first, the last, and some evenly between."""
_LATENTS = "latents."


class KeptTensors:
    """Keeps copies of the tensors of one call, on the CPU.

    Args:
        steps: Numbers of the steps whose latents are kept, from 1; none for a few that are spread evenly. The last
            step is always kept.
        pipeline: The pipeline, of which the number of steps is read once it steps.
        room: How many bytes may be kept.

    Attributes:
        bytes: Size of what is kept.
        left_out: Names of the tensors for which there was no room.
    """

    def __init__(self, steps: Sequence[int], pipeline: Any, room: int) -> None:
        self.bytes = 0
        self.left_out: list[str] = []
        self._steps = frozenset(steps)
        self._pipeline = pipeline
        self._room = room
        self._kept: dict[str, torch.Tensor] = {}
        self._last: tuple[str, torch.Tensor] | None = None

    def keep(self, name: str, tensor: torch.Tensor) -> None:
        """Keep a tensor, unless it is the latents of a step that is not chosen.

        Args:
            name: `embeddings.N`, counted from 0 as in the trace; `noise`; or `latents.N`, after step N, from 1.
            tensor: The tensor; the pipeline may write over it afterwards.
        """
        if not name.startswith(_LATENTS):
            self._add(name, _copy(tensor))
            return
        copy = _copy(tensor)
        self._last = (name, copy)
        if int(name.removeprefix(_LATENTS)) in self._chosen():
            self._add(name, copy)

    def write(self, folder: Path) -> list[str]:
        """Write the tensors into a folder, whole or not at all, and return their names."""
        from safetensors.torch import save_file

        if self._last is not None and self._last[0] not in (*self._kept, *self.left_out):
            self._add(*self._last)
        if self._kept:
            part = folder / f"{TENSORS}.part"
            save_file(self._kept, part)
            part.replace(folder / TENSORS)
        return list(self._kept)

    def _chosen(self) -> frozenset[int]:
        if not self._steps:
            timesteps = [getattr(each, "timesteps", None) for _, each in schedulers_of(self._pipeline)]
            last = max([1, *(len(each) for each in timesteps if each is not None)])
            self._steps = frozenset(1 + round(n * (last - 1) / (_SPREAD - 1)) for n in range(_SPREAD))
        return self._steps

    def _add(self, name: str, tensor: torch.Tensor) -> None:
        size = tensor.numel() * tensor.element_size()
        if self.bytes + size > self._room:
            self.left_out.append(name)
            return
        self._kept[name] = tensor
        self.bytes += size


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    import torch

    return tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
