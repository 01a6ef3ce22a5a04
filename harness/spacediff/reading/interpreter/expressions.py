"""What an expression is: constants folded, names looked up, calls handed on."""

from __future__ import annotations

import ast
from abc import ABC
from dataclasses import replace

from spacediff.reading.interpreter import effects
from spacediff.reading.interpreter.heap import TooMuchError
from spacediff.reading.interpreter.state import State, present
from spacediff.reading.libraries.diffusers import pipelines
from spacediff.reading.values import constants as folding
from spacediff.reading.values import containers
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
    Key,
    Known,
    Module,
    Object,
    Partial,
    Table,
    Truth,
    Unknown,
    Value,
    either,
    lift,
    negated,
    results_in,
    truth,
)


class Expressions(State, ABC):
    """Evaluates expressions by the kind of their node."""

    def evaluate(self, node: ast.expr | None) -> Value:
        """Return what an expression is; whatever is not understood is unknown."""
        if node is None:
            return Known(self.where(ast.Pass()), None)
        try:
            self.enter()
        except TooMuchError:
            if self.depth < 1:
                raise
            return Unknown(self.where(node), self.words(node))
        try:
            handler = getattr(self, f"_on_{type(node).__name__.lower()}", None)
            return handler(node) if handler else self._parts(node)
        finally:
            self.leave()

    def _parts(self, node: ast.expr) -> Value:
        """Follow an expression's parts for what they do."""
        parts = [self.evaluate(part) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
        return self.unknown(node, *parts)

    def _on_constant(self, node: ast.Constant) -> Value:
        return folding.constant(node.value, self.where(node), self.unknown(node))

    def _on_name(self, node: ast.Name) -> Value:
        value = self.look_up(node.id)
        return External(self.where(node), node.id) if value is None else value

    def _on_attribute(self, node: ast.Attribute) -> Value:
        return self.attribute(self.evaluate(node.value), node.attr, node)

    def _on_namedexpr(self, node: ast.NamedExpr) -> Value:
        value = self.evaluate(node.value)
        scopes, inner = self.frame.scopes, self.frame.comprehensions
        self.frame.scopes, self.frame.comprehensions = scopes[inner:], 0
        self.assign(node.target, value)
        self.frame.scopes, self.frame.comprehensions = scopes, inner
        return value

    def _on_await(self, node: ast.Await) -> Value:
        return self.evaluate(node.value)

    def _on_starred(self, node: ast.Starred) -> Value:
        return self.evaluate(node.value)

    def _on_yield(self, node: ast.Yield) -> Value:
        self.frame.yields.append(self.evaluate(node.value))
        return self.unknown(node)

    def _on_yieldfrom(self, node: ast.YieldFrom) -> Value:
        self.frame.yields.append(self.evaluate(node.value))
        return self.unknown(node)

    def _on_lambda(self, node: ast.Lambda) -> Value:
        return Function(self.where(node), node, self.frame.scopes, self.frame.source.name)

    def _on_list(self, node: ast.List | ast.Tuple | ast.Set) -> Items:
        items: list[Value] = []
        is_open = False
        for item in node.elts:
            value = self.evaluate(item)
            if not isinstance(item, ast.Starred):
                items.append(value)
            elif isinstance(value, Items):
                items.extend(value.items)
                is_open |= value.open
            else:
                is_open = True
        identity = 0 if isinstance(node, ast.Tuple) else self.heap.identity()
        return Items(self.where(node), tuple(items), is_open, identity)

    _on_tuple = _on_list

    def _on_set(self, node: ast.Set) -> Value:
        return folding.distinct(self._on_list(node))

    def _on_dict(self, node: ast.Dict) -> Value:
        where = self.where(node)
        made = Table(where, ())
        for key, item in zip(node.keys, node.values, strict=True):
            value = self.evaluate(item)
            name = self.evaluate(key) if key is not None else None
            unknown = Unknown(self.where(item), self.words(item))
            if name is None:
                made = containers.merged(made, self.as_table(value), unknown)
            elif isinstance(name, Known):
                items: dict[Key, Value] = {**dict(made.items), name.value: value}
                made = Table(where, tuple(items.items()), made.open)
            else:
                made = containers.merged(made, Table(where, (), open=True), unknown)
        return Table(where, made.items, made.open, self.heap.identity())

    def as_table(self, value: Value) -> Table:
        """Return a value as keyword arguments; whatever is no dict is open."""
        if isinstance(value, Table):
            return value
        if isinstance(value, Either):
            return self._joined([self.as_table(option) for option in value.options], value)
        if isinstance(value, Attribute) and value.name == "config" and isinstance(value.owner, Object):
            held = self.heap.cell(value.owner.cell)
            kept = {name.removeprefix("config."): held[name] for name in held if name.startswith("config.")}
            return Table(value.where, tuple(kept.items()))
        if isinstance(value, Attribute) and value.name == "components" and isinstance(value.owner, Object):
            return Table(value.where, (("__pipeline__", value.owner),))
        if isinstance(value, Object) and value.kind in {"namespace", "instance"}:
            return Table(value.where, tuple(self.heap.cell(value.cell).items()))
        return Table(value.where, (), open=True)

    @staticmethod
    def _joined(tables: list[Table], value: Either) -> Table:
        names = dict.fromkeys(name for table in tables for name, _ in table.items)
        items = [
            (name, either([table.get(name) or Absent(table.where) for table in tables], value.where,
                          decided=value.decided))
            for name in names
        ]  # fmt: skip
        return Table(value.where, tuple(items), any(table.open for table in tables))

    def _on_joinedstr(self, node: ast.JoinedStr) -> Value:
        parts: list[Value] = []
        for part in node.values:
            value = self.evaluate(part.value if isinstance(part, ast.FormattedValue) else part)
            plain = not isinstance(part, ast.FormattedValue) or (part.format_spec is None and part.conversion == -1)
            parts.append(value if plain else self._formatted(part, value))
        return lift(lambda *values: folding.text(values, self.unknown(node, *values)), parts)

    def _formatted(self, part: ast.expr, value: Value) -> Value:
        if not isinstance(part, ast.FormattedValue):
            return value
        spec = self.evaluate(part.format_spec) if part.format_spec else Known(value.where, "")
        return lift(
            lambda inner, how: folding.formatted(inner, how, part.conversion, self.unknown(part, inner)), [value, spec]
        )

    def _on_binop(self, node: ast.BinOp) -> Value:
        sides = [self.evaluate(node.left), self.evaluate(node.right)]
        made = lift(lambda left, right: folding.binary(node.op, left, right, self.unknown(node, left, right)), sides)
        is_tuple = isinstance(sides[0], Items) and not sides[0].identity
        return made if is_tuple else self._own(made)

    def _own(self, value: Value) -> Value:
        """Return a list or dict that was just made with an identity of its own."""
        options = value.options if isinstance(value, Either) else (value,)
        if any(isinstance(option, Items | Table) and not option.identity for option in options):
            return containers.anew(value, self.heap.identity)
        return value

    def _on_unaryop(self, node: ast.UnaryOp) -> Value:
        value = self.evaluate(node.operand)
        if isinstance(node.op, ast.Not):
            held = negated(truth(value))
            return self._as_value(held, node, value)
        return lift(lambda inner: folding.unary(node.op, inner, self.unknown(node, inner)), [value])

    def _as_value(self, held: Truth, node: ast.expr, value: Value) -> Value:
        if held.certain is not None:
            return Known(self.where(node), held.certain)
        if held.usual is not None:
            options = [Known(self.where(node), held.usual), Known(self.where(node), not held.usual)]
            return either(options, self.where(node), decided=True)
        return self.unknown(node, value)

    def _on_compare(self, node: ast.Compare) -> Value:
        sides = [self.evaluate(side) for side in (node.left, *node.comparators)]
        return lift(lambda *values: folding.compared(node.ops, values, self.unknown(node)), sides)

    def _on_boolop(self, node: ast.BoolOp) -> Value:
        stops = isinstance(node.op, ast.Or)
        options: list[Value] = []
        usual: Value | None = None
        for operand in node.values:
            value = self.evaluate(operand)
            held = truth(value)
            last = operand is node.values[-1]
            if held.certain is None or held.certain is stops or last:
                options.append(value)
            if usual is None and (held.usual is stops or last):
                usual = value
            if held.usual is None:
                usual = usual or Unknown(value.where, "")
            if held.certain is stops:
                break
        decided = not isinstance(usual, Unknown)
        ordered = [usual, *options] if decided and usual else options
        return either(ordered, self.where(node), decided=decided)

    def _on_ifexp(self, node: ast.IfExp) -> Value:
        held = truth(self.evaluate(node.test))
        if held.certain is not None:
            return self.evaluate(node.body if held.certain else node.orelse)
        first, second = (node.body, node.orelse) if held.usual is not False else (node.orelse, node.body)
        options = [self.evaluate(first), self.evaluate(second)]
        return either(options, self.where(node), decided=held.usual is not None)

    def _on_subscript(self, node: ast.Subscript) -> Value:
        owner = self.evaluate(node.value)
        if isinstance(node.slice, ast.Slice):
            return owner if isinstance(owner, Unknown) else self.unknown(node, owner)
        return lift(lambda value, key: self._item(value, key, node), [owner, self.evaluate(node.slice)])

    def _item(self, owner: Value, key: Value, node: ast.expr) -> Value:  # noqa: PLR0911 - one way out for each kind
        if isinstance(owner, Table):
            if isinstance(key, Known):
                found = owner.get(key.value)
                return (present(found) if found is not None else None) or self.unknown(node)
            return either([*(value for _, value in owner.items), *self._rest(owner, node)], self.where(node))
        if isinstance(owner, Items):
            if isinstance(key, Known) and isinstance(key.value, int) and not owner.open:
                return (
                    owner.items[key.value] if -len(owner.items) <= key.value < len(owner.items) else self.unknown(node)
                )
            return either([*owner.items, *self._rest(owner, node)], self.where(node))
        if isinstance(owner, External) and owner.name.endswith("environ") and isinstance(key, Known):
            return folding.asked("environment variable", folding.shown(key), None, self.where(node))
        if isinstance(owner, External) and owner.name == "sys.argv":
            return folding.asked("argument", f"sys.argv[{folding.shown(key)}]", None, self.where(node))
        if isinstance(owner, Object) and isinstance(key, Known):
            return self.attribute(owner, str(key.value), node)
        return self.unknown(node, owner, key)

    def _rest(self, owner: Table | Items, node: ast.expr) -> list[Value]:
        return [self.unknown(node)] if owner.open or not owner.items else []

    def _on_listcomp(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> Value:
        inside, parts = self._comprehended(node.generators, [node.elt])
        if results_in(parts[0]) or not results_in(inside[0]):
            return Items(self.where(node), tuple(parts), open=True, identity=self.heap.identity())
        return self.unknown(node, *parts, *inside)

    _on_generatorexp = _on_listcomp
    _on_setcomp = _on_listcomp

    def _on_dictcomp(self, node: ast.DictComp) -> Value:
        self._comprehended(node.generators, [node.key, node.value])
        return Table(self.where(node), (), open=True, identity=self.heap.identity())

    def _comprehended(self, loops: list[ast.comprehension], parts: list[ast.expr]) -> tuple[list[Value], list[Value]]:
        """Return what a comprehension runs over, and its parts; its names are its own."""
        inside: list[Value] = []
        scopes = self.frame.scopes
        self.frame.scopes = (self.heap.new(), *scopes)
        self.frame.comprehensions += 1
        try:
            for loop in loops:
                inside.append(self.evaluate(loop.iter))
                self.assign(loop.target, self.element(inside[-1], loop.iter))
                for test in loop.ifs:
                    self.evaluate(test)
            return inside, [self.evaluate(part) for part in parts]
        finally:
            self.frame.scopes = scopes
            self.frame.comprehensions -= 1

    def element(self, values: Value, node: ast.expr) -> Value:
        """Return what a loop over these values sees."""
        if isinstance(values, Items) and values.items:
            return either([*values.items, *([self.unknown(node)] if values.open else [])], values.where)
        if isinstance(values, Either):
            return either([self.element(option, node) for option in values.options], values.where)
        return self.unknown(node, values)

    def _on_call(self, node: ast.Call) -> Value:
        function = self.evaluate(node.func)
        arguments = Arguments([], {})
        for argument in node.args:
            value = self.evaluate(argument)
            if arguments.open:  # nobody knows in which place it comes
                continue
            if not isinstance(argument, ast.Starred):
                arguments.positional.append(value)
            elif isinstance(value, Items) and not value.open:
                arguments.positional.extend(value.items)
            else:
                arguments.open = self.words(argument)
        for keyword in node.keywords:
            value = self.evaluate(keyword.value)
            if keyword.arg is not None:
                arguments.named[keyword.arg] = value
                continue
            table = self.as_table(value)
            arguments.named |= table.named
            arguments.open = arguments.open or (self.words(keyword.value) if table.open else "")
        methods = function.options if isinstance(function, Either) else (function,)
        owners = tuple(method.owner if isinstance(method, Attribute) else method for method in methods)
        if isinstance(node.func, ast.Attribute):
            owner = owners[0] if len(owners) == 1 else Either(self.where(node), owners, decided=False)
            effects.change_by_method(self, owner, node.func.value, node.func.attr, arguments)
        made = self.call(function, arguments, node)
        return made if isinstance(function, Function | Partial) else self._own(made)

    def attribute(self, owner: Value, name: str, node: ast.AST) -> Value:  # noqa: PLR0911 - one way out for each kind
        """Return an attribute; of what is not known it is unknown too."""
        if isinstance(owner, Either):
            found = [self.attribute(option, name, node) for option in owner.options if not _is_none(option)]
            return either(found, owner.where, decided=owner.decided)
        if isinstance(owner, External):
            return External(self.where(node), f"{owner.name}.{name}")
        if isinstance(owner, Module):
            return self.heap.cell(owner.cell).get(name) or self.unknown(node)
        if isinstance(owner, Class):
            member = self._of_class(owner, name, node)
            return _given(member, owner) if isinstance(member, Function) and member.kind == "classmethod" else member
        if isinstance(owner, Object):
            return self._of_object(owner, name, node)
        if isinstance(owner, Unknown | Asked):
            return Attribute(owner.where, owner, name)
        return Attribute(self.where(node), owner, name)

    def _of_class(self, owner: Class, name: str, node: ast.AST) -> Value:
        value = self.heap.cell(owner.cell).get(name)
        if value is not None:
            return value
        for base in owner.bases:
            if isinstance(base, Class):
                return self._of_class(base, name, node)
        foreign = [base.name for base in owner.bases if isinstance(base, External)]
        return External(owner.where, f"{foreign[0]}.{name}") if foreign else self.unknown(node)

    def _of_object(self, owner: Object, name: str, node: ast.AST) -> Value:
        held = self.get(owner, name)
        if held is not None and not isinstance(held, Absent):
            return present(held) or held
        if owner.kind == "pipeline" and name in {"device", "_execution_device"}:
            return pipelines.device_of(self, owner, name) or Attribute(self.where(node), owner, name)
        kind = self.get(owner, "__class__")
        if isinstance(kind, Class):
            found = self._of_class(kind, name, node)
            if isinstance(found, Function):
                return self._bound(found, owner, kind, node)
            return Attribute(owner.where, owner, name) if isinstance(found, Unknown) else found
        return Attribute(self.where(node), owner, name)

    def _bound(self, function: Function, owner: Object, made: Class, node: ast.AST) -> Value:
        if function.kind == "staticmethod":
            return function
        if function.kind == "classmethod":
            return _given(function, made)
        method = _given(function, owner)
        return self.call(method, Arguments([], {}), node) if function.kind == "property" else method


def _given(function: Function, first: Value) -> Function:
    """Return a function that has its first argument already."""
    positional, named = function.given
    return replace(function, given=((first, *positional), named))


def _is_none(value: Value) -> bool:
    return isinstance(value, Absent) or (isinstance(value, Known) and value.value is None)
