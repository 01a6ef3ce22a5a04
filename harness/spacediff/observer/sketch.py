"""A sketch of a tensor: a hundred numbers from which the distance of two tensors can be estimated without either.

The key insight is that of the count sketch (Charikar, Chen and Farach-Colton, "Finding frequent items in data streams",
2002): each value gets a random sign and is added to one of a few bins. The sketch of a difference is the difference of
the sketches, and its squared norm has that of the tensors as its expected value. Digests only say whether two machines
computed the same; sketches say how far apart they are.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

BINS = 128
_SEED = 2002
_CHUNK = 256 * BINS
"""Values that are added at a time: they fit into a processor's cache, and need no large buffer."""
RELATIVE_DEVIATION = math.sqrt(2 / BINS) / 2
"""Standard deviation of an estimated distance, relative to the distance: half of that of its square."""


def sketch(values: Any) -> tuple[float, ...]:
    """Compute the sketch of a tensor or an array; empty where a value is infinite or not a number.

    Args:
        values: A tensor of torch, on any device, or an array of NumPy, of any float dtype and shape.
    """
    import numpy as np

    is_tensor = hasattr(values, "detach")
    flat: Any = values.detach().cpu().reshape(-1) if is_tensor else np.asarray(values).reshape(-1)
    signs, found = _signs(len(flat)), np.zeros(BINS)
    for first in range(0, len(flat), _CHUNK):
        chunk = flat[first : first + _CHUNK]
        signed = (chunk.float().numpy() if is_tensor else chunk.astype(np.float32)) * signs[first : first + _CHUNK]
        padded = np.pad(signed, (0, -len(signed) % BINS)) if len(signed) % BINS else signed
        found += padded.reshape(-1, BINS).sum(axis=0, dtype=np.float64)
    return tuple(float(f"{each:.7g}") for each in found) if np.isfinite(found).all() else ()


def distance(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Estimate the Euclidean distance of two tensors of one shape from their sketches; None without both."""
    if not one or len(one) != len(other):
        return None
    return math.dist(one, other)


@functools.lru_cache(maxsize=2)
def _signs(count: int) -> Any:
    """Return as many random signs as float32, the same on every machine: NumPy keeps the stream of a bit generator."""
    import numpy as np

    words = np.random.PCG64(_SEED).random_raw(-(-count // 64)).astype("<u8")
    return 1.0 - 2.0 * np.unpackbits(words.view(np.uint8))[:count].astype(np.float32)
