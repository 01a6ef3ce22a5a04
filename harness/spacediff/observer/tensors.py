"""Numbers that describe a tensor: digest, statistics, extremes. The tensor is not changed."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .digest_length import DIGITS

if TYPE_CHECKING:
    import torch

_FIRST = 16
_CHUNK = 2**15
"""Values that are converted at a time: in float64 they fit into a processor's cache, and need no large buffer."""


def digest(tensor: torch.Tensor) -> str:
    """Compute the digest of a tensor's dtype, shape and bytes."""
    import torch

    found = hashlib.sha256(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
    found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()[:DIGITS]


def digests(tensors: Any) -> tuple[str, ...]:
    """Compute the digest of each tensor, also in nested lists; an empty text for anything that is not a tensor."""
    return tuple(digest(each) if hasattr(each, "dtype") else "" for each in leaves(tensors))


def leaves(tensors: Any) -> list[Any]:
    """Return what nested lists and tuples hold, in order; anything else is a list of itself."""
    return [leaf for part in tensors for leaf in leaves(part)] if isinstance(tensors, list | tuple) else [tensors]


def statistics(tensor: torch.Tensor) -> tuple[float, float, float, int]:
    """Return mean, standard deviation and norm of the finite values, and how many are not finite.

    Uses torch, not NumPy: the threads of NumPy's BLAS keep spinning after a product, which slows down later steps.
    """
    import torch

    values = tensor.detach().cpu().flatten()
    total, square, count = 0.0, 0.0, 0
    for chunk in values.split(_CHUNK):
        part = chunk.double()
        of_part = float((part * part).sum())
        if not math.isfinite(of_part):
            part = part[torch.isfinite(part)]
            of_part = float((part * part).sum())
        total, square, count = total + float(part.sum()), square + of_part, count + len(part)
    if not count:
        return 0.0, 0.0, 0.0, len(values)
    mean = total / count
    std = math.sqrt(max(square / count - mean**2, 0.0))
    return mean, std, math.sqrt(square), len(values) - count


def extremes(tensor: torch.Tensor) -> tuple[float, float]:
    """Return the smallest and the largest finite value; zeros if there are none."""
    values = tensor.detach().cpu().double().numpy()
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)


def first_values(tensor: torch.Tensor) -> tuple[float, ...]:
    """Return the first 16 values, or fewer, as float32 has them."""
    return tuple(tensor.detach().flatten()[:_FIRST].float().cpu().tolist())


def number(value: Any) -> float | None:
    """Return a number as a float, or the first element of a tensor; None for anything else."""
    if hasattr(value, "flatten"):
        value = value.flatten()[0].item()
    return float(value) if isinstance(value, int | float) else None


def tensors_in(result: Any) -> list[torch.Tensor]:
    """Return the tensors in the result of an encoder: in an output class, a tuple, or a distribution's parameters."""
    import torch

    if isinstance(result, torch.Tensor):
        return [result]
    if isinstance(parameters := getattr(result, "parameters", None), torch.Tensor):
        return [parameters]
    if isinstance(result, dict):
        result = list(result.values())
    return [tensor for part in result for tensor in tensors_in(part)] if isinstance(result, list | tuple) else []
