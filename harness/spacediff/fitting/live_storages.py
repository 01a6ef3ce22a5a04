"""How much memory a computation needs at once, counted on meta tensors, which have shapes and no data.

The key insight: memory is needed by storages, not by tensors, and a meta tensor has a storage with the size that a
device would give it. So a model can run on the meta device, with its own code, on a machine that could never hold it.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_VALUE_OF_A_CONDITION = 1
"""A meta tensor has no values; a model that asks for one, such as whether a mask leaves all in, gets this."""


class TakesLongError(Exception):
    """A computation that was cut off."""


class LiveStorages(TorchDispatchMode):
    """Counts the storages that are alive at once, from the tensors that operations return.

    Args:
        ignored: Tensors that do not count, such as weights.
        most: After so many operations, `TakesLongError` is raised. A limit in seconds would make the peak depend on the
            speed of the machine.

    Attributes:
        peak: The most bytes alive at once.
    """

    def __init__(self, ignored: Iterable[torch.Tensor], most: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        self._alive = 0
        self._known = {tensor.untyped_storage()._cdata: None for tensor in ignored}  # noqa: SLF001 - torch has no public identity of a storage
        self._kept: dict[int, weakref.ref[Any]] = {}
        self._left = most

    def __torch_dispatch__(
        self, operation: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operation, and count what it returns."""
        if operation is torch.ops.aten._local_scalar_dense.default:  # noqa: SLF001 - the operation behind `item()`
            return _VALUE_OF_A_CONDITION
        if not self._left:
            raise TakesLongError
        self._left -= 1
        result = operation(*args, **(kwargs or {}))
        for tensor in (result,) if isinstance(result, torch.Tensor) else tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self._count(tensor)
        return result

    def _count(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        identity = storage._cdata  # noqa: SLF001 - as above
        if identity in self._known or identity in self._kept:
            return
        size = storage.nbytes()

        def freed(_: object) -> None:
            del self._kept[identity]
            self._alive -= size

        self._kept[identity] = weakref.ref(storage, freed)
        self._alive += size
        self.peak = max(self.peak, self._alive)


class FusedAttention(TorchFunctionMode):
    """Attention as the kernels of an accelerator compute it, without the matrix of all pairs that meta tensors get."""

    def __torch_function__(
        self, function: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Return a tensor of the right shape in place of attention; call anything else."""
        named = kwargs or {}
        if function is not torch.nn.functional.scaled_dot_product_attention:
            return function(*args, **named)
        query, _, value = [*args, *(named[name] for name in ("query", "key", "value") if name in named)][:3]
        return query.new_empty((*query.shape[:-1], value.shape[-1]))
