"""Statements followed in order: bindings, branches that fork the state, definitions, imports."""

from __future__ import annotations

import ast
from abc import ABC
from collections.abc import Sequence

from spacediff.reading.interpreter import decorators, effects
from spacediff.reading.interpreter.heap import Heap, TooMuchError
from spacediff.reading.interpreter.loops import Loops
from spacediff.reading.interpreter.state import Condition, End
from spacediff.reading.values.kinds import (
    Arguments,
    Attribute,
    Class,
    Either,
    External,
    Function,
    Items,
    Known,
    Module,
    Object,
    Table,
    Truth,
    Value,
    either,
    truth,
)

_MOST_ENDS = 8


class Statements(Loops, ABC):
    """Follows statements by the kind of their node."""

    def run(self, body: Sequence[ast.stmt]) -> bool:
        """Follow statements; return whether the end is reached."""
        for statement in body:
            try:
                self.enter()
            except TooMuchError:
                if self.depth < 1:
                    raise
                continue
            try:
                handler = getattr(self, f"_do_{type(statement).__name__.lower()}", None)
                if handler and handler(statement) is False:
                    return False
            finally:
                self.leave()
        return True

    def _do_expr(self, node: ast.Expr) -> None:
        self.evaluate(node.value)

    def _do_assign(self, node: ast.Assign) -> None:
        value = self.evaluate(node.value)
        for target in node.targets:
            self.assign(target, value)

    def _do_annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.evaluate(node.value))

    def _do_augassign(self, node: ast.AugAssign) -> None:
        if isinstance(node.op, ast.Add | ast.BitOr) and isinstance(node.target, ast.Name | ast.Attribute):
            held = self.evaluate(_loaded(node.target))
            if isinstance(held, Items | Table) and held.identity:
                name = "update" if isinstance(held, Table) else "extend"
                effects.change_by_method(self, held, node.target, name, Arguments([self.evaluate(node.value)], {}))
                return
        side = ast.copy_location(ast.BinOp(left=_loaded(node.target), op=node.op, right=node.value), node)
        self.assign(node.target, self.evaluate(side))

    def assign(self, target: ast.expr, value: Value) -> None:
        """Bind a name, an attribute, an item, or several."""
        self.budget.spend()
        if isinstance(target, ast.Name):
            self.heap.put(self._scope_of(target.id), target.id, value)
        elif isinstance(target, ast.Tuple | ast.List):
            self._unpack(target.elts, value)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, value)
        elif isinstance(target, ast.Attribute):
            self._set_attribute(self.evaluate(target.value), target.attr, value, target)
        elif isinstance(target, ast.Subscript):
            self._set_item(target, value)

    def _scope_of(self, name: str) -> int:
        if name in self.frame.globals_:
            return self.frame.scopes[-1]
        if name in self.frame.nonlocals:
            return next((cell for cell in self.frame.scopes[1:] if name in self.heap.cell(cell)), self.frame.scopes[0])
        return self.frame.scopes[0]

    def _unpack(self, targets: list[ast.expr], value: Value) -> None:
        one_each = not any(isinstance(target, ast.Starred) for target in targets)
        exact = one_each and isinstance(value, Items) and not value.open and len(value.items) == len(targets)
        fit = isinstance(value, Either) and all(
            isinstance(one, Items) and not one.open and len(one.items) == len(targets) for one in value.options
        )
        if isinstance(value, Either) and fit and one_each:
            columns = zip(*(one.items for one in value.options if isinstance(one, Items)), strict=False)
            for target, column in zip(targets, columns, strict=False):
                self.assign(target, either(column, value.where, decided=value.decided))
            return
        for position, target in enumerate(targets):
            part = value.items[position] if exact and isinstance(value, Items) else self.unknown(target, value)
            self.assign(target, part)

    def _set_attribute(self, owner: Value, name: str, value: Value, node: ast.AST) -> None:
        from spacediff.reading.libraries.diffusers.recogniser import set_attribute

        for option in owner.options if isinstance(owner, Either) else (owner,):
            if isinstance(option, Class | Module):
                self.heap.put(option.cell, name, value)
            elif isinstance(option, Object | Attribute | External):
                set_attribute(self, option, name, value, node)

    def _set_item(self, target: ast.Subscript, value: Value) -> None:
        from spacediff.reading.libraries.diffusers.recogniser import set_config

        owner = self.evaluate(target.value)
        key = self.evaluate(target.slice) if not isinstance(target.slice, ast.Slice) else None
        effects.set_item(self, target, owner, key, value)
        for option in owner.options if isinstance(owner, Either) else (owner,):
            if isinstance(option, Object) and isinstance(key, Known):
                self.put(option, str(key.value), value)
            elif isinstance(option, Object) and option.kind == "namespace":
                effects.forget(self, option.cell, target)
            elif isinstance(option, Attribute):
                set_config(self, option, key, target)

    def _do_delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.heap.put(self.frame.scopes[0], target.id, self.unknown(target))
            elif isinstance(target, ast.Subscript):
                key = self.evaluate(target.slice) if not isinstance(target.slice, ast.Slice) else None
                effects.delete_item(self, target, self.evaluate(target.value), key)

    def _do_global(self, node: ast.Global) -> None:
        self.frame.globals_.update(node.names)

    def _do_nonlocal(self, node: ast.Nonlocal) -> None:
        self.frame.nonlocals.update(node.names)

    def _do_if(self, node: ast.If) -> bool:
        held = truth(self.evaluate(node.test))
        if held.certain is not None:
            return self.run(node.body if held.certain else node.orelse)
        words = self.words(node.test)
        return self.branch(held, words, node, lambda: self.run(node.body), lambda: self.run(node.orelse))

    def branch(self, held: Truth, words: str, node: ast.AST, body: object, otherwise: object) -> bool:
        """Follow both sides of a condition and join what they leave."""
        sides = [(body, words, True), (otherwise, f"not ({words})", False)]
        if held.usual is False:
            sides.reverse()  # the usual side is the first of its alternatives
        before = self.heap
        reached: list[Heap] = []
        for follow, text, side in sides:
            self.heap = before.fork()
            self.conditions.append(Condition(text, None if held.usual is None else held.usual is side))
            try:
                if callable(follow) and follow():
                    reached.append(self.heap)
            finally:
                self.conditions.pop()
        self.heap = reached[0] if reached else before
        if len(reached) > 1:
            self.heap.join(reached[1], self.where(node), decided=held.usual is not None)
        return bool(reached)

    def _do_match(self, node: ast.Match) -> bool:
        subject = self.evaluate(node.subject)
        for case in node.cases:
            for part in ast.walk(case.pattern):
                name = part.rest if isinstance(part, ast.MatchMapping) else getattr(part, "name", None)
                if isinstance(name, str):
                    held = self.look_up(name)
                    kept = [held] if held is not None else []
                    self.heap.put(self._scope_of(name), name, either([*kept, self.unknown(part, subject)],
                                                                     self.where(part)))  # fmt: skip
        last = node.cases[-1]
        complete = last.guard is None and isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
        return self._either_of([*(case.body for case in node.cases), *([] if complete else [[]])], node, "match")

    def _either_of(self, bodies: list[list[ast.stmt]], node: ast.AST, words: str) -> bool:
        if not bodies:
            return True
        if len(bodies) == 1:
            return self.branch(Truth(None, None), words, node, lambda: self.run(bodies[0]), lambda: True)
        rest = bodies[1:]
        follow_rest = (lambda: self.run(rest[0])) if len(rest) == 1 else (lambda: self._either_of(rest, node, words))
        return self.branch(Truth(None, None), words, node, lambda: self.run(bodies[0]), follow_rest)

    def _do_with(self, node: ast.With | ast.AsyncWith) -> bool:
        for item in node.items:
            value = self.evaluate(item.context_expr)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value)
        return self.run(node.body)

    _do_asyncwith = _do_with

    def _do_try(self, node: ast.Try | ast.TryStar) -> bool:
        before = len(self.frame.returns)
        reached = self._tried(node)
        ends = self.frame.returns[before:]
        here, after = self.heap, len(self.frame.returns)
        for end in ends[:_MOST_ENDS] if node.finalbody else []:
            if end.heap is not here:
                self.heap = end.heap
                self.run(node.finalbody)
        self.heap = here
        del self.frame.returns[after:]
        if self.run(node.finalbody):
            return reached
        if len(self.frame.returns) > after:
            del self.frame.returns[before:after]  # what is returned at last is what counts
        return False

    _do_trystar = _do_try

    def _tried(self, node: ast.Try | ast.TryStar) -> bool:
        imports = all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in node.body)
        returning = [handler.body for handler in node.handlers if not _gives_up(handler.body)]
        if imports or not returning:
            return self.run(node.body) and self.run(node.orelse)
        return self.branch(
            Truth(certain=None, usual=True), "no error", node,
            lambda: self.run(node.body) and self.run(node.orelse),
            lambda: self._either_of(returning, node, "error"),
        )  # fmt: skip

    def _do_return(self, node: ast.Return) -> bool:
        value = self.evaluate(node.value) if node.value else Known(self.where(node), None)
        self.frame.returns.append(self.end(value))
        return False

    def end(self, value: Value) -> End:
        """Return the end of a function at this place."""
        sides = [condition.usual for condition in self.conditions[self.frame.outer_conditions :]]
        usual = False if False in sides else None if None in sides else True
        return End(value, self.heap, usual)

    def _do_raise(self, node: ast.Raise) -> bool:
        self.evaluate(node.exc)
        return False

    def _do_functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        defaults = self.defaults_of(node.args)
        written = [self.words(decorator) for decorator in node.decorator_list]
        kinds = [kind for kind in ("staticmethod", "classmethod", "property") if kind in written]
        function = Function(
            self.where(node), node, self.frame.scopes, self.frame.source.name, defaults, kind=kinds[0] if kinds else ""
        )
        self.defined.append(function)
        made = decorators.applied(self, function, node)
        self.heap.put(self.frame.scopes[0], node.name, made)
        self.decorated(function, node)

    _do_asyncfunctiondef = _do_functiondef

    def decorated(self, function: Function, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Note what a function's decorators make of it for a user interface."""

    def defaults_of(self, arguments: ast.arguments) -> tuple[tuple[str, Value], ...]:
        """Return the default values of a function's parameters."""
        positional = [*arguments.posonlyargs, *arguments.args]
        with_default = positional[len(positional) - len(arguments.defaults) :]
        found = [
            (parameter.arg, self.evaluate(value))
            for parameter, value in zip(with_default, arguments.defaults, strict=True)
        ]
        for parameter, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if value is not None:
                found.append((parameter.arg, self.evaluate(value)))
        return tuple(found)

    def _do_classdef(self, node: ast.ClassDef) -> None:
        bases = tuple(self.evaluate(base) for base in node.bases)
        cell = self.heap.new()
        inherited: list[str] = [name for base in bases if isinstance(base, Class) for name in base.fields]
        fields = [
            statement.target.id
            for statement in node.body
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
        ]
        scopes = self.frame.scopes
        self.frame.scopes = (cell, *scopes)
        try:
            self.run(node.body)
        finally:
            self.frame.scopes = scopes
        made = Class(self.where(node), node.name, cell, bases, tuple(dict.fromkeys([*inherited, *fields])))
        self.heap.put(scopes[0], node.name, made)

    def _do_import(self, node: ast.Import) -> None:
        for alias in node.names:
            own = self.module(alias.name, node) if "." not in alias.name or alias.asname else None
            name = alias.asname or alias.name.split(".", maxsplit=1)[0]
            dotted = alias.name if alias.asname else name
            self.heap.put(self._scope_of(name), name, own or External(self.where(node), dotted))

    def _do_importfrom(self, node: ast.ImportFrom) -> None:
        module = self.module(node.module or "", node, node.level) if node.module else None
        for alias in node.names:
            name = alias.asname or alias.name
            if alias.name == "*":
                self._take_all(module)
                continue
            value: Value | None = None
            if module is not None:
                value = self.heap.cell(module.cell).get(alias.name)
            elif node.level and not node.module:
                value = self.module(alias.name, node, node.level)
            dotted = f"{node.module}.{alias.name}" if node.module else alias.name
            self.heap.put(self._scope_of(name), name, value or External(self.where(node), dotted))

    def _take_all(self, module: Module | None) -> None:
        if module is not None:
            for name, value in list(self.heap.cell(module.cell).items()):
                if not name.startswith("_"):
                    self.heap.put(self.frame.scopes[0], name, value)

    def module(self, dotted: str, node: ast.AST, level: int = 0) -> Module | None:
        """Return another file of this source, followed when first met; None for a library."""
        raise NotImplementedError((dotted, node, level))


def _gives_up(body: list[ast.stmt]) -> bool:
    """Return whether a handler only reports: it ends in a raise, or does nothing that could matter."""
    if body and isinstance(body[-1], ast.Raise | ast.Continue | ast.Pass):
        return True
    calls = [statement for statement in body if isinstance(statement, ast.Expr)]
    return len(calls) == len(body)


def _loaded(target: ast.expr) -> ast.expr:
    """Return an assignment's target as an expression."""
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(id=target.id, ctx=ast.Load()), target)
    return target
