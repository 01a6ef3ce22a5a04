"""Hooks on methods of an object, such as those that every diffusers pipeline calls.

A hook replaces a method of one object. It can inspect the call, make it, change it, or return another result. In a
process that is not ours, a hook must not fail: there each call is guarded, and an error of the hook is noted instead.
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
    """A call of a hooked method.

    Attributes:
        owner: The object whose method is called: the hooked one, or a copy that its pipeline has made of it.
        method: The method.
        signature: Its signature.
        args: The positional arguments.
        kwargs: The arguments by name.
    """

    owner: Any
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


Note = Callable[[Exception], None]
"""Receives the error of a hook in place of the caller."""


class _Guarded(Call):
    """A call that a hook makes at most once, and whose outcome stays the caller's, whatever the hook does."""

    def proceed(self) -> Any:
        """Make the call."""
        outcome = self.__dict__
        if "error" in outcome:
            raise outcome["error"]
        if "result" not in outcome:
            try:
                outcome["result"] = super().proceed()
            except BaseException as error:
                outcome["error"] = error
                raise
        return outcome["result"]

    def seen_by(self, hook: Callable[[Call], Any], note: Note) -> Any:
        """Return what the call returns, or raise what it raises; any other error of the hook is noted."""
        try:
            return hook(self)
        except Exception as error:
            if self.__dict__.get("error") is error:
                raise
            note(error)
        return self.proceed()


class _Hooked:
    """A method with a hook; a deep copy of its owner gets the hook too, or the original method, bound to the copy."""

    def __init__(
        self,
        owner: Any,
        method: Callable[..., Any],
        hook: Callable[[Call], Any],
        *,
        follow_copies: bool,
        note: Note | None,
    ) -> None:
        self._owner = owner
        self._method = method
        self._hook = hook
        self._follow_copies = follow_copies
        self._note = note
        self._signature = inspect.signature(method)
        functools.update_wrapper(self, method, updated=())  # without the state of an inner hook

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given = (self._owner, self._method, self._signature, args, kwargs)
        return self._hook(Call(*given)) if self._note is None else _Guarded(*given).seen_by(self._hook, self._note)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        copied = memo.get(id(self._owner), self._owner)
        method: Any = self._method
        if isinstance(method, _Hooked):
            method = copy.deepcopy(method, memo)
        elif inspect.ismethod(method):
            method = types.MethodType(method.__func__, copied)
        if not self._follow_copies:
            return method
        return _Hooked(copied, method, self._hook, follow_copies=True, note=self._note)


def add_hook(
    owner: Any, name: str, hook: Callable[[Call], Any], *, follow_copies: bool = False, note: Note | None = None
) -> Callable[[], None]:
    """Hook a method of one object; the new hook is called before existing ones.

    The method keeps its signature and name, because pipelines inspect them. Without such a method, nothing happens.

    Args:
        owner: The object.
        name: Name of the method.
        hook: Called in place of the method.
        follow_copies: Whether deep copies of the object are hooked too: some pipelines step copies of their scheduler.
        note: Receives an error of the hook, which the caller then does not see; without it, the error is the caller's.

    Returns:
        A function that removes the hook.
    """
    method = getattr(owner, name, None)
    if method is None:
        return _nothing
    own = vars(owner).get(name)
    setattr(owner, name, _Hooked(owner, method, hook, follow_copies=follow_copies, note=note))
    return functools.partial(setattr, owner, name, own) if own is not None else functools.partial(delattr, owner, name)


def _nothing() -> None:
    """Remove a hook that was not set."""


def watch_calls(
    module: Any, see: Callable[[tuple[Any, ...], dict[str, Any], Any], None], *, note: Note | None = None
) -> Callable[[], None]:
    """Call a function with the arguments and the result of every call of a module, without changing either.

    A module that was compiled in place is watched outside of its compiled code, which would contain the watch else.

    Args:
        module: The module.
        see: Receives the positional arguments, the arguments by name, and the result.
        note: Receives an error of `see`, which the caller then does not see.

    Returns:
        A function that ends it.
    """
    if note is not None:
        see = functools.partial(_seen, see, note)
    compiled = getattr(module, "_compiled_call_impl", None)
    if compiled is None:
        handle = module.register_forward_hook(
            lambda _, args, kwargs, output: see(args, kwargs, output), with_kwargs=True
        )
        end: Callable[[], None] = handle.remove
        return end

    def watching(*args: Any, **kwargs: Any) -> Any:
        output = compiled(*args, **kwargs)
        see(args, kwargs, output)
        return output

    module._compiled_call_impl = watching  # noqa: SLF001 - torch calls this in place of `forward`
    return functools.partial(setattr, module, "_compiled_call_impl", compiled)


def _seen(
    see: Callable[[tuple[Any, ...], dict[str, Any], Any], None],
    note: Note,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    result: Any,
) -> None:
    try:
        see(args, kwargs, result)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller goes on
        note(error)


def step_result(result: Any) -> Any:
    """Return the latents in the result of a scheduler's `step`."""
    return result.prev_sample if hasattr(result, "prev_sample") else result[0]
