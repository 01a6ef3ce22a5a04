"""Numbers that describe a tensor: digest, statistics, extremes. The tensor is not changed."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

_DIGITS = 24  # of a digest: 96 bits


def digest(tensor: torch.Tensor) -> str:
    """Compute the digest of a tensor's dtype, shape and bytes."""
    import torch

    found = hashlib.sha256(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
    found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()[:_DIGITS]


def digests(tensors: Any) -> tuple[str, ...]:
    """Compute the digest of each tensor, also in nested lists; an empty text for anything that is not a tensor."""
    if isinstance(tensors, list | tuple):
        return tuple(found for part in tensors for found in digests(part))
    return (digest(tensors) if hasattr(tensors, "dtype") else "",)


def chained(before: str, found: str) -> str:
    """Combine the digest of the pieces so far with that of the next piece."""
    return hashlib.sha256(f"{before} {found}".encode()).hexdigest()[:_DIGITS]


def statistics(tensor: torch.Tensor) -> tuple[float, float, float, int]:
    """Return mean, standard deviation and norm of the finite values, and how many are not finite.

    Uses torch, not NumPy: the threads of NumPy's BLAS keep spinning after a product, which slows down later steps.
    """
    import torch

    values = tensor.detach().cpu().double().flatten()
    square = float((values * values).sum())
    finite = values
    if not math.isfinite(square):
        finite = values[torch.isfinite(values)]
        square = float((finite * finite).sum())
    if not len(finite):
        return 0.0, 0.0, 0.0, len(values)
    mean = float(finite.sum()) / len(finite)
    std = math.sqrt(max(square / len(finite) - mean**2, 0.0))
    return mean, std, math.sqrt(square), len(values) - len(finite)


def extremes(tensor: torch.Tensor) -> tuple[float, float]:
    """Return the smallest and the largest finite value; zeros if there are none."""
    values = tensor.detach().cpu().double().numpy()
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)


def number(value: Any) -> float | None:
    """Return a number as a float, or the first element of a tensor; None for anything else."""
    if hasattr(value, "flatten"):
        value = value.flatten()[0].item()
    return float(value) if isinstance(value, int | float) else None
