"""Collect the noise that a call draws with `torch.randn` and `torch.randn_like`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@contextmanager
def collected_draws() -> Iterator[list[torch.Tensor]]:
    """Collect what `torch.randn` and `torch.randn_like` return inside the block.

    Both functions are replaced inside the block. A TorchFunctionMode would also work, but slows down every other call.

    Yields:
        The tensors, in the order in which they were drawn; the list grows while the block runs.
    """
    import torch

    drawn: list[torch.Tensor] = []

    def collecting(draw: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        def drawing(*args: Any, **kwargs: Any) -> torch.Tensor:
            noise = draw(*args, **kwargs)
            drawn.append(noise)
            return noise

        return drawing

    randn, randn_like = torch.randn, torch.randn_like
    torch.randn, torch.randn_like = collecting(randn), collecting(randn_like)
    try:
        yield drawn
    finally:
        torch.randn, torch.randn_like = randn, randn_like
