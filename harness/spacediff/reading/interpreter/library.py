"""What a library contributes to reading: a recogniser that knows what its functions and objects do.

The interpreter never looks into a library. Where the source uses one, it asks the recognisers in their order, and the
first answer counts. Without an answer the result is unknown, and lists and dicts that were passed may have changed.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from spacediff.reading.values import Arguments, External, Function, Object, Value

if TYPE_CHECKING:
    from spacediff.reading.interpreter.state import State


class Library(Protocol):
    """A recogniser. A subclass overrides what it recognises; None or False means "not mine"."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the result of a call such as `torch.device("cuda")`, after noting what it changes."""
        return None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the result of a method call such as `pipe.to("cuda")`; a call of `pipe` itself is `__call__`.

        For a class of the source, that is its instance.
        """
        return None

    def attribute(self, state: State, owner: Value, name: str, node: ast.AST) -> Value | None:
        """Return an attribute that an object or a constant computes, such as `pipe.device` and `device.type`."""
        return None

    def item(self, state: State, owner: Value, key: Value, node: ast.AST) -> Value | None:
        """Return an item of something of a library or of an input, such as `os.environ["SEED"]`."""
        return None

    def set_attribute(self, state: State, owner: Value, name: str, value: Value, node: ast.AST) -> bool:
        """Note an assignment such as `torch.backends.cudnn.allow_tf32 = True`; return whether it was recognised."""
        return False

    def set_item(self, state: State, owner: Value, key: Value | None, node: ast.AST) -> bool:
        """Note an assignment such as `pipe.scheduler.config["shift"] = 3`; return whether it was recognised."""
        return False

    def decorate(self, state: State, function: Function, decorator: External, node: ast.expr) -> Function | None:
        """Return a function after a decorator of the library."""
        return None

    def on_function_defined(
        self, state: State, function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> None:
        """Note what the decorators of a function register it for, such as a command line."""
        return

    def on_function_called(self, state: State, function: Function, arguments: Arguments, node: ast.AST) -> None:
        """Note what the name of a function of the source says about it; the interpreter then follows the call."""
        return

    def after_method(
        self, state: State, owner: Object, function: Function, arguments: Arguments, node: ast.AST
    ) -> Value | None:
        """Return the result of a method of the source that was followed and in which no pipeline was called."""
        return None

    def on_sliced(self, state: State, owner: Value, bounds: Sequence[Value], node: ast.Subscript) -> None:
        """Note what `owner[start:end]` says about the owner, such as frames that are dropped."""
        return

    def on_computed(self, state: State, node: ast.BinOp, left: Value, right: Value) -> None:
        """Note what `left * right` and the like do to one of the two, such as brighter frames."""
        return

    def on_deleted(self, state: State, owner: Value, node: ast.AST) -> None:
        """Note what `del owner.name` or `del owner[key]` takes away."""
        return


class Libraries(Library):
    """Recognisers in a row: they are asked in their order, and the first answer counts."""

    def __init__(self, recognisers: Sequence[Library]) -> None:
        self._recognisers = tuple(recognisers)

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Ask the recognisers in their order."""
        for one in self._recognisers:
            found = one.call(state, function, arguments, node)
            if found is not None:
                return found
        return None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Ask the recognisers in their order."""
        for one in self._recognisers:
            found = one.call_method(state, owner, name, arguments, node)
            if found is not None:
                return found
        return None

    def attribute(self, state: State, owner: Value, name: str, node: ast.AST) -> Value | None:
        """Ask the recognisers in their order."""
        answers = (one.attribute(state, owner, name, node) for one in self._recognisers)
        return next((found for found in answers if found is not None), None)

    def item(self, state: State, owner: Value, key: Value, node: ast.AST) -> Value | None:
        """Ask the recognisers in their order."""
        answers = (one.item(state, owner, key, node) for one in self._recognisers)
        return next((found for found in answers if found is not None), None)

    def set_attribute(self, state: State, owner: Value, name: str, value: Value, node: ast.AST) -> bool:
        """Ask the recognisers in their order."""
        return any(one.set_attribute(state, owner, name, value, node) for one in self._recognisers)

    def set_item(self, state: State, owner: Value, key: Value | None, node: ast.AST) -> bool:
        """Ask the recognisers in their order."""
        return any(one.set_item(state, owner, key, node) for one in self._recognisers)

    def decorate(self, state: State, function: Function, decorator: External, node: ast.expr) -> Function | None:
        """Ask the recognisers in their order."""
        answers = (one.decorate(state, function, decorator, node) for one in self._recognisers)
        return next((found for found in answers if found is not None), None)

    def on_function_defined(
        self, state: State, function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef
    ) -> None:
        """Ask the recognisers in their order."""
        for one in self._recognisers:
            one.on_function_defined(state, function, node)

    def on_function_called(self, state: State, function: Function, arguments: Arguments, node: ast.AST) -> None:
        """Ask the recognisers in their order."""
        for one in self._recognisers:
            one.on_function_called(state, function, arguments, node)

    def after_method(
        self, state: State, owner: Object, function: Function, arguments: Arguments, node: ast.AST
    ) -> Value | None:
        """Ask the recognisers in their order."""
        answers = (one.after_method(state, owner, function, arguments, node) for one in self._recognisers)
        return next((found for found in answers if found is not None), None)

    def on_sliced(self, state: State, owner: Value, bounds: Sequence[Value], node: ast.Subscript) -> None:
        """Ask the recognisers in their order."""
        for one in self._recognisers:
            one.on_sliced(state, owner, bounds, node)

    def on_computed(self, state: State, node: ast.BinOp, left: Value, right: Value) -> None:
        """Ask the recognisers in their order."""
        for one in self._recognisers:
            one.on_computed(state, node, left, right)

    def on_deleted(self, state: State, owner: Value, node: ast.AST) -> None:
        """Ask the recognisers in their order."""
        for one in self._recognisers:
            one.on_deleted(state, owner, node)
