"""A call of a pipeline before it is made: its arguments by name, and those that it would take."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .effective import arguments_of

_COLLECTING = frozenset({inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD})


@dataclass(frozen=True)
class PipelineCall:
    """A call of a pipeline before it is made.

    Attributes:
        method: The method, as its class has it.
        pipeline: The pipeline.
        args: Its arguments by position.
        kwargs: Its arguments by name.
    """

    method: Callable[..., Any]
    pipeline: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def given(self) -> dict[str, Any]:
        """All arguments by name, defaults included."""
        return arguments_of(self.method, self.pipeline, self.args, self.kwargs)

    @property
    def named(self) -> set[str]:
        """The arguments that the method names."""
        return _named(self.method)

    @property
    def collecting(self) -> str:
        """The name of the argument that collects those which the method does not name; empty without one."""
        parameters = inspect.signature(self.method).parameters.values()
        return next((each.name for each in parameters if each.kind is each.VAR_KEYWORD), "")

    @property
    def of_blocks(self) -> set[str]:
        """The inputs of a modular pipeline, whose call takes them without naming them."""
        inputs = getattr(getattr(self.pipeline, "blocks", None), "inputs", ()) if self.collecting else ()
        return {str(each.name) for each in inputs if getattr(each, "name", None)}

    @property
    def takes(self) -> set[str]:
        """The arguments that the call takes, or that a call of the same pipeline may take to which it passes them."""
        found = self.named | self.of_blocks
        if self.collecting:
            calls = [vars(kind).get("__call__") for kind in type(self.pipeline).__mro__]
            found = found.union(*(_named(each) for each in calls if inspect.isfunction(each)))
        return found - {"self"}

    def make(self) -> Any:
        """Make the call."""
        return self.method(self.pipeline, *self.args, **self.kwargs)


def _named(method: Callable[..., Any]) -> set[str]:
    try:
        parameters = inspect.signature(method).parameters.values()
    except ValueError:  # one of C
        return set()
    return {each.name for each in parameters if each.kind not in _COLLECTING}
