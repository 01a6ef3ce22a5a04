"""Give an argument the type that a pipeline's signature asks for: settings hold lists, and some of them are tuples."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any


def as_annotated(function: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments with a tuple in place of each list where a signature takes tuples and no lists.

    Args:
        function: What will be called.
        arguments: Its arguments by name, as settings hold them.
    """
    parameters = inspect.signature(function).parameters
    wanted = _hints(function)
    return {
        name: _converted(value, wanted.get(name), parameters[name].default if name in parameters else None)
        for name, value in arguments.items()
    }


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except Exception:  # noqa: BLE001 - a name that the module does not have; then defaults alone say what is wanted
        return {}


def _converted(value: Any, hint: Any, default: Any = None) -> Any:
    """Return a value as a hint wants it; without a hint, as its default is."""
    if not isinstance(value, list):
        return value
    if hint is None:
        return tuple(value) if isinstance(default, tuple) else value
    options = _options(hint)
    kinds = {typing.get_origin(option) or option for option in options}
    inner = next((arguments[0] for option in options if (arguments := _items_of(option))), None)
    items = [_converted(item, inner) for item in value] if inner is not None else value
    return tuple(items) if tuple in kinds and not kinds & {list, Any} else items


def _options(hint: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(hint) in {typing.Union, types.UnionType}
    return typing.get_args(hint) if is_union else (hint,)


def _items_of(option: Any) -> tuple[Any, ...]:
    return typing.get_args(option) if typing.get_origin(option) in {list, tuple} else ()
