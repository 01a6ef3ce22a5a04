"""Doors: the methods through which every diffusers pipeline goes, whatever its loop looks like.

A guard stands at a method of one object, the run's own. It may look at the call, let it happen, or answer itself.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """A call that has reached a door."""

    method: Callable[..., Any]
    signature: inspect.Signature
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def happen(self) -> Any:
        """Make the call."""
        return self.method(*self.args, **self.kwargs)

    def arguments(self) -> dict[str, Any]:
        """Return all arguments by name, defaults included."""
        bound = self.signature.bind(*self.args, **self.kwargs)
        bound.apply_defaults()
        return bound.arguments


def guard(owner: Any, name: str, watch: Callable[[Call], Any]) -> None:
    """Put a guard at a method of one object, outside those that stand there already.

    Signature and name stay, since pipelines look at them. An object without the method is left alone.
    """
    method = getattr(owner, name, None)
    if method is None:
        return

    signature = inspect.signature(method)

    @functools.wraps(method)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return watch(Call(method, signature, args, kwargs))

    setattr(owner, name, guarded)


def step_result(result: Any) -> Any:
    """Return the latents out of what a scheduler's `step` returned."""
    return result.prev_sample if hasattr(result, "prev_sample") else result[0]
