"""Calls: the source's own functions are followed into, those of libraries are looked up in what is known of them."""

from __future__ import annotations

import ast
from dataclasses import replace

from spacediff.reading.interpreter import effects
from spacediff.reading.interpreter.state import Frame
from spacediff.reading.interpreter.statements import Statements
from spacediff.reading.libraries import gradio as interface
from spacediff.reading.libraries import python as libraries
from spacediff.reading.libraries.diffusers import recogniser as diffusing
from spacediff.reading.parsing import Files, Source
from spacediff.reading.values import constants as folding
from spacediff.reading.values.kinds import (
    Absent,
    Arguments,
    Asked,
    Attribute,
    Class,
    Either,
    External,
    Function,
    Items,
    Known,
    Module,
    Object,
    Partial,
    Table,
    Unknown,
    Value,
    Widget,
    either,
    lift,
    results_in,
)

_MOST_NESTED_CALLS = 12
_MOST_REPEATED = 2
"""How often a function is followed into itself."""
_NEVER_FOLLOWED = frozenset({"diffusers", "torch", "transformers", "gradio", "numpy", "accelerate", "huggingface_hub"})


class Interpreter(Statements):
    """Follows a source from its first line, then what its user interface calls."""

    def __init__(self, files: Files) -> None:
        super().__init__(files)
        self.sources = [files.main]

    def call(self, function: Value, arguments: Arguments, node: ast.AST) -> Value:  # noqa: PLR0911 - one way out for each kind
        """Return what a call gives."""
        self.budget.spend()
        if isinstance(function, Either):
            sure = [condition.usual is True for condition in self.conditions]
            # Where each branch is the usual one, so was the branch that chose what is called.
            candidates = function.options[:1] if function.decided and sure and all(sure) else function.options
            options = [
                self.call(option, arguments, node) for option in candidates if not isinstance(option, Absent | Known)
            ]
            return either(options, self.where(node), decided=function.decided)
        if isinstance(function, Function):
            return self._follow(function, arguments, node)
        if isinstance(function, Class):
            return self._made(function, arguments, node)
        if isinstance(function, External):
            return self._of_library(function, arguments, node)
        if isinstance(function, Object):
            return self._of_instance(function, arguments, node)
        if isinstance(function, Attribute):
            return self._method(function, arguments, node)
        if isinstance(function, Partial):
            given = Arguments(
                [*function.positional, *arguments.positional], {**dict(function.named), **arguments.named}
            )
            given.open = arguments.open
            return self.call(function.function, given, node)
        return self._foreign("", function, arguments, node)

    def _foreign(self, name: str, function: Value, arguments: Arguments, node: ast.AST) -> Value:
        """Return what nobody knows, after what it may have done to its arguments."""
        effects.let_go(self, name, arguments, node)
        return self.unknown(node, function, *arguments.every())

    def _of_instance(self, function: Object, arguments: Arguments, node: ast.AST) -> Value:
        if function.kind == "pipeline":
            return diffusing.call_pipeline(self, function, arguments, node)
        own = self.attribute(function, "__call__", node)
        if isinstance(own, Function):
            return self._follow(own, arguments, node)
        forward = self.attribute(function, "forward", node)
        if isinstance(forward, Function):
            return self._follow(forward, arguments, node)
        return self.unknown(node, *arguments.every())

    def _method(self, function: Attribute, arguments: Arguments, node: ast.AST) -> Value:
        owner = function.owner
        if isinstance(owner, Object):
            found = diffusing.call_method(self, owner, function.name, arguments, node)
            if found is None:
                found = interface.call_method(self, owner, function.name, arguments, node)
            if found is not None:
                return found
        if isinstance(owner, Widget) or interface.is_event(owner, function.name):
            return interface.wire(self, function.name, arguments, node)
        libraries.suspect(self, function.name, arguments, node)
        libraries.export_method(self, function.name, owner, node)
        if isinstance(owner, Known | Table | Items | Asked):
            otherwise = self.unknown(node, owner, *arguments.every())
            return lift(lambda one: folding.method(one, function.name, arguments, otherwise), [owner])
        if isinstance(owner, Object) and owner.kind == "namespace" and function.name == "update":
            return self._set_all(owner, arguments, node)
        return self._foreign(f"{_package(owner)}.{function.name}", owner, arguments, node)

    def _set_all(self, owner: Object, arguments: Arguments, node: ast.AST) -> Value:
        """Set what `globals().update(...)` names."""
        tables = [self.as_table(value) for value in arguments.positional]
        if arguments.open or any(table.open for table in tables):
            effects.forget(self, owner.cell, node)
        for named in (*(table.named for table in tables), arguments.named):
            for name, value in named.items():
                self.put(owner, name, value)
        return Known(self.where(node), None)

    def _of_library(self, function: External, arguments: Arguments, node: ast.AST) -> Value:
        if folding.is_function(function.name) and arguments.positional and not arguments.named:
            otherwise = self.unknown(node, *arguments.positional)
            if arguments.open:
                return otherwise
            return lift(lambda *values: folding.function(function.name, values, otherwise), arguments.positional)
        found = effects.call_library(self, function, arguments, node)
        if found is None:
            found = interface.call_library(self, function, arguments, node)
        if found is None:
            found = diffusing.call_library(self, function, arguments, node)
        if found is None:
            found = libraries.call_library(self, function, arguments, node)
        if found is not None:
            return found
        only = arguments.positional[0] if len(arguments.positional) == 1 and not arguments.named else None
        if isinstance(only, Function):  # as `spaces.GPU(generate)`: the function with something around it
            return only
        return self._foreign(function.name, function, arguments, node)

    def _made(self, made: Class, arguments: Arguments, node: ast.AST) -> Value:
        instance = Object(self.where(node), "instance", self.heap.new({"__class__": made}))
        start = self.attribute(instance, "__init__", node)
        if isinstance(start, Function):
            self._follow(start, arguments, node)
            return instance
        for name in made.fields:
            default = self.attribute(made, name, node)
            if not isinstance(default, Unknown):
                self.put(instance, name, interface.field_default(self, default, node))
        for name, value in [*zip(made.fields, arguments.positional, strict=False), *arguments.named.items()]:
            self.put(instance, name, value)
        return instance

    def _follow(self, function: Function, arguments: Arguments, node: ast.AST) -> Value:
        nested = [frame.function for frame in self.frames if frame.function is not None]
        again = sum(other.node is function.node for other in nested)
        libraries.suspect(self, function.name, arguments, node)
        if len(nested) >= _MOST_NESTED_CALLS or again >= _MOST_REPEATED:
            return self._foreign("", function, arguments, node)
        self.called.add(id(function.node))
        command = self.commands.get(id(function.node))
        if command is not None and not arguments.every():
            arguments = command.arguments
        scope = self.heap.new()
        source = self.frame.source if function.file == self.frame.source.name else self._source(function.file)
        frame = Frame(source, (scope, *function.scopes), function, outer_conditions=len(self.conditions))
        for name, value in self._bound_arguments(function, arguments, node).items():
            self.heap.put(scope, name, value)
        self.frames.append(frame)
        try:
            if function.wrapped is not None:
                for name, value in list(self.heap.cell(scope).items()):
                    self.heap.put(scope, name, self._wrapped(value, function.wrapped))
            if isinstance(function.node, ast.Lambda):
                return self.evaluate(function.node.body)
            reached = self.run(function.node.body)
            return self._returned(frame, node, reached=reached)
        finally:
            self.frames.pop()

    def _wrapped(self, value: Value, by: Unknown) -> Value:
        """Return an argument that came through a foreign decorator: an object, or what nobody knows."""
        return value if isinstance(value, Object | Class | Function) else replace(by, results=results_in(value))

    def _source(self, name: str) -> Source:
        return next((source for source in self.sources if source.name == name), self.frame.source)

    def _returned(self, frame: Frame, node: ast.AST, *, reached: bool) -> Value:
        """Join the ends of a function: its values, and the state that each leaves."""
        ends = list(frame.returns)
        if reached:
            ends.append(self.end(Known(self.where(node), None)))
        if not ends:
            return self.unknown(node)
        usual = next((end for end in ends if end.usual is not False), ends[0])
        decided = usual.usual is True
        ends = [usual, *(end for end in ends if end is not usual)]
        self.heap = usual.heap
        for other in ends[1:]:
            if other.heap is not self.heap:
                self.heap.join(other.heap, self.where(node), decided=decided)
        if frame.yields:
            return either(frame.yields, self.where(node))
        return either([end.value for end in ends], self.where(node), decided=decided)

    def _bound_arguments(self, function: Function, arguments: Arguments, node: ast.AST) -> dict[str, Value]:
        parameters = function.node.args
        positional = [*function.given[0], *arguments.positional]
        named = {**dict(function.given[1]), **arguments.named}
        names = [parameter.arg for parameter in (*parameters.posonlyargs, *parameters.args)]
        every = [*names, *(parameter.arg for parameter in parameters.kwonlyargs)]
        bound: dict[str, Value] = dict(function.defaults)
        bound |= dict(zip(names, positional, strict=False))
        bound |= {name: named.pop(name) for name in every if name in named}
        for name in every:
            if name not in bound:
                bound[name] = Unknown(self.where(function.node), name)
        if parameters.vararg is not None:
            rest = tuple(positional[len(names) :])
            bound[parameters.vararg.arg] = Items(self.where(node), rest, open=bool(arguments.open))
        if parameters.kwarg is not None:
            named.pop("__pipeline__", None)
            bound[parameters.kwarg.arg] = Table(
                self.where(node), tuple(named.items()), bool(arguments.open), self.heap.identity()
            )
        return bound

    def module(self, dotted: str, node: ast.AST, level: int = 0) -> Module | None:
        """Return another file of this source, followed when first met; None for a library."""
        if dotted.split(".", maxsplit=1)[0] in _NEVER_FOLLOWED and not level:
            return None
        source = self.files.module(dotted)
        if source is None and level and "/" in self.frame.source.name:
            folder = self.frame.source.name.rsplit("/", 1)[0].replace("/", ".")
            source = self.files.module(f"{folder}.{dotted}")
        if source is None:
            return None
        if source.name not in self.modules:
            self.modules[source.name] = self.heap.new({"__name__": Known(self.where(node), dotted)})
            self.sources.append(source)
            self.follow_file(source, self.modules[source.name])
        return Module(self.where(node), self.modules[source.name])

    def follow_file(self, source: Source, cell: int) -> None:
        """Follow one file from its first line."""
        self.frames.append(Frame(source, (cell,)))
        try:
            self.run(source.tree.body)
        finally:
            self.frames.pop()

    def decorated(self, function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Note a command line that a decorator makes of a function."""
        interface.decorate(self, function, node)


def _package(owner: Value) -> str:
    """Return the library that a value is of, as far as its own text tells."""
    return owner.name.split(".", 1)[0] if isinstance(owner, External) else ""
