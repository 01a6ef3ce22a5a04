"""A machine whose attention is not repeatable, as kernels that add in another order each time make it.

With torch's deterministic algorithms it is, as with the kernels that torch takes then.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import functional

_SEEDS = itertools.count(1)


@contextmanager
def noisy_attention(relative: float = 1e-3, *, always: bool = False) -> Iterator[None]:
    """Change every result of attention by a relative amount, with another stream of noise for each call.

    Args:
        relative: Standard deviation of the change of each value, relative to the value.
        always: Whether it is noisy with deterministic algorithms, too.
    """
    exact = functional.scaled_dot_product_attention

    def noisy(*args: Any, **kwargs: Any) -> torch.Tensor:
        found: torch.Tensor = exact(*args, **kwargs)
        if torch.are_deterministic_algorithms_enabled() and not always:
            return found
        generator = torch.Generator(found.device).manual_seed(next(_SEEDS))
        noise = torch.randn(found.shape, generator=generator, dtype=found.dtype, device=found.device)
        return found * (1 + relative * noise)

    functional.scaled_dot_product_attention = noisy
    try:
        yield
    finally:
        functional.scaled_dot_product_attention = exact
