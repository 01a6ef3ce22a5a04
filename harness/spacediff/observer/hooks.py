"""Hooks on methods of an object, such as those that every diffusers pipeline calls.

A hook replaces a method of one object. It can inspect the call, make it, change it, or return another result.
"""

from __future__ import annotations

import copy
import functools
import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """A call of a hooked method."""

    method: Callable[..., Any]
    signature: inspect.Signature
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def proceed(self) -> Any:
        """Make the call."""
        return self.method(*self.args, **self.kwargs)

    def arguments(self) -> dict[str, Any]:
        """Return all arguments by name, defaults included."""
        bound = self.signature.bind(*self.args, **self.kwargs)
        bound.apply_defaults()
        return bound.arguments


class _Hooked:
    """A method with a hook; a deep copy of its owner gets the original method, bound to the copy."""

    def __init__(self, owner: Any, method: Callable[..., Any], hook: Callable[[Call], Any]) -> None:
        self._owner = owner
        self._method = method
        self._hook = hook
        self._signature = inspect.signature(method)
        functools.update_wrapper(self, method, updated=())  # without the state of an inner hook

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._hook(Call(self._method, self._signature, args, kwargs))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        copied = memo.get(id(self._owner), self._owner)
        if isinstance(self._method, _Hooked):
            return copy.deepcopy(self._method, memo)
        return types.MethodType(self._method.__func__, copied) if inspect.ismethod(self._method) else self._method


def add_hook(owner: Any, name: str, hook: Callable[[Call], Any]) -> None:
    """Hook a method of one object; the new hook is called before existing ones.

    The method keeps its signature and name, because pipelines inspect them. Without such a method, nothing happens.
    """
    method = getattr(owner, name, None)
    if method is not None:
        setattr(owner, name, _Hooked(owner, method, hook))


def step_result(result: Any) -> Any:
    """Return the latents in the result of a scheduler's `step`."""
    return result.prev_sample if hasattr(result, "prev_sample") else result[0]
