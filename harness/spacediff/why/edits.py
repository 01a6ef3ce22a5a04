"""Proposals: edits of a script that may remove one difference from the Space, the most likely first.

`spacediff.why.patch` tries them one by one, and finds out which of them does.
"""

from __future__ import annotations

import ast
import json
import keyword
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from spacediff.devices import is_device
from spacediff.reading import Reading
from spacediff.reading.signatures import accepts, class_defaults
from spacediff.settings import Origin, Settings
from spacediff.why.differences import SourceDifference
from spacediff.why.rewriting import Edit, Script

_SEED = 42
"""The seed for a script without one; the written scenario uses the same."""
_SEEDING = frozenset({"manual_seed", "manual_seed_all", "set_seed", "seed_everything"})
_SCHEDULER = re.compile(r"[A-Z]\w*Scheduler", re.ASCII)
_DTYPES = frozenset({"float32", "bfloat16", "float16"})


@dataclass(frozen=True, slots=True)
class Proposal:
    """Edits that belong together, and what they do in one line."""

    edits: tuple[Edit, ...]
    words: str


class Proposer:
    """Proposes edits that may remove one difference.

    Args:
        script: The script.
        name: Its file name.
        reading: What was read of it.
        settings: Its settings, defaults included.
        row: The difference.
    """

    def __init__(self, script: Script, name: str, reading: Reading, settings: Settings, row: SourceDifference) -> None:
        self._script = script
        self._settings = settings
        self._name = name
        self._reading = reading
        self._row = row
        self._value = row.right.value

    def proposals(self) -> Iterator[Proposal]:
        """Yield the proposals, the most likely first."""
        table, _, key = self._row.path.partition(".")
        if not key.isidentifier() or (keyword.iskeyword(key) and self._row.path != "scheduler.class"):
            return
        yield from self._at_the_value()
        makers: dict[str, Callable[[str], Iterator[Proposal]]] = {
            "call": self._in_the_call,
            "scheduler": self._scheduler,
            "rng": self._generator,
            "vae": self._switch,
            "load": self._at_loading,
            "model": self._at_loading,
            "output": self._at_export,
        }
        if table in makers:
            yield from makers[table](key)

    def _line(self, where: str) -> int:
        """Return the line number of a place in the script; 0 for a place in another file, or none."""
        found = re.match(r"(.*?):(\d+)(?:,|$)", where, re.DOTALL)
        return int(found[2]) if found and found[1] == self._name else 0

    def _at_the_value(self) -> Iterator[Proposal]:
        """Replace the value where the script sets it."""
        line = self._line(self._row.left.where)
        if not line or self._row.left.origin is not Origin.READ:
            return
        for node in self._script.expressions_on(line):
            text = self._replacement(node)
            if text:
                yield self._one(self._script.replaced(node, text), f"{self._script.source_of(node)} becomes {text}")

    def _replacement(self, node: ast.expr) -> str:
        """Return the text that replaces an expression with the old value; empty for any other expression."""
        left, path = self._row.left.value, self._row.path
        if path == "model.dtype" and isinstance(node, ast.Attribute) and self._value in _DTYPES:
            return f"{self._script.source_of(node.value)}.{self._value}" if _is_dtype(node.attr, left) else ""
        try:
            written = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return ""
        if path == "rng.device" and isinstance(written, str) and written.removesuffix(":0") == left:
            return self._written() if is_device(str(self._value)) else ""
        same = type(written) is type(left) and written == left
        return self._written() if same and path != "scheduler.class" else ""

    def _written(self) -> str:
        return _literal(self._value)

    def _in_the_call(self, key: str) -> Iterator[Proposal]:
        if accepts(str(self._settings.value("model.pipeline")), key):
            for call in self._calls_at(self._reading.called_at):
                yield from self._argument(call, key, self._written())

    def _argument(self, call: ast.Call, key: str, text: str) -> Iterator[Proposal]:
        """Set an argument of a call, replacing the value that it has."""
        argument = f"{key}={text}"
        for given in call.keywords:
            if given.arg == key:
                yield self._one(self._script.replaced(given.value, text), argument)
                return
        if self._row.left.origin is Origin.DEFAULT or key == "generator":  # otherwise it is passed in another way
            words = f"add {argument} to {self._script.source_of(call.func)}(...)"
            yield Proposal(tuple(self._script.with_keyword(call, argument)), words)

    def _calls_at(self, where: str) -> list[ast.Call]:
        line = self._line(where)
        return [node for node in self._script.expressions_on(line) if isinstance(node, ast.Call)] if line else []

    def _at_loading(self, key: str) -> Iterator[Proposal]:
        names = {"dtype": "torch_dtype", "revision": "revision", "variant": "variant"}
        of_model = self._row.path.startswith("model.")
        name = names.get(key, "") if of_model else key
        text = f"torch.{self._value}" if key == "dtype" and of_model and self._value in _DTYPES else self._written()
        for call in self._calls_at(self._loaded_at()) if name else ():
            for proposal in self._argument(call, name, text):
                if text.startswith("torch."):
                    yield Proposal((*self._import("", "torch"), *proposal.edits), proposal.words)
                else:
                    yield proposal

    def _loaded_at(self) -> str:
        loaded = self._reading.settings.get("model.pipeline")
        return loaded.where if loaded else ""

    def _at_export(self, key: str) -> Iterator[Proposal]:
        for node in self._script.nodes():
            if isinstance(node, ast.Call) and _last_name(node.func) == "export_to_video":
                yield from self._argument(node, key, self._written())

    def _pipeline(self) -> tuple[str, ast.stmt] | None:
        """Return the name of the pipeline in the script, and the statement that creates it."""
        for call in self._calls_at(self._loaded_at()):
            statement = self._script.statement_of(call)
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            if statement is not None and len(targets) == 1 and isinstance(targets[0], ast.Name | ast.Attribute):
                return self._script.source_of(targets[0]), statement
        return None

    def _scheduler(self, key: str) -> Iterator[Proposal]:
        current = self._reading.settings.get("scheduler.class")
        if key == "class":
            yield from self._scheduler_class()
            return
        for call in self._calls_at(current.where) if current else ():
            is_made = str(current and current.value) == _last_name(call.func)
            if _last_name(call.func) == "from_config" or (is_made and key in class_defaults(_last_name(call.func))):
                yield from self._argument(call, key, self._written())
        kind = self._settings.value("scheduler.class")
        if current is None and isinstance(kind, str) and _SCHEDULER.fullmatch(kind):
            yield from self._new_scheduler(kind, f", {key}={self._written()}")

    def _scheduler_class(self) -> Iterator[Proposal]:
        kind = str(self._value)
        if not _SCHEDULER.fullmatch(kind):
            return
        for call in self._calls_at(self._row.left.where):
            made_from = (
                call.func if _last_name(call.func) == "from_config" else None
            )  # ignores entries that a class does not have
            node = made_from.value if isinstance(made_from, ast.Attribute) else None
            if node is not None and _last_name(node) == self._row.left.value:
                words = f"{self._script.source_of(node)} becomes {kind}"
                yield Proposal((*self._import("diffusers", kind), self._script.replaced(node, kind)), words)
        if self._row.left.origin is Origin.DEFAULT:
            yield from self._new_scheduler(kind, "")

    def _new_scheduler(self, kind: str, arguments: str) -> Iterator[Proposal]:
        made = self._pipeline()
        if made is None:
            return
        name, statement = made
        code = f"{name}.scheduler = {kind}.from_config({name}.scheduler.config{arguments})"
        edits = (*self._import("diffusers", kind), self._script.line_after(statement, code))
        yield Proposal(edits, f"add the line {code}")

    def _generator(self, key: str) -> Iterator[Proposal]:
        if key != "device" or not is_device(str(self._value)):
            return
        if self._row.left.value != "global":
            yield from self._device_of_generator()
            return
        for call in self._calls_at(self._reading.called_at):
            for seed, remark in self._seeds(call):
                text = f"torch.Generator({_literal(self._value)}).manual_seed({seed})"
                for proposal in self._argument(call, "generator", text):
                    words = f"{proposal.words}{remark}"
                    yield Proposal((*self._import("", "torch"), *proposal.edits), words)

    def _device_of_generator(self) -> Iterator[Proposal]:
        """Replace the device that a generator of the script is given."""
        for node in self._script.nodes():
            if isinstance(node, ast.Call) and _last_name(node.func) == "Generator":
                named = [keyword.value for keyword in node.keywords if keyword.arg == "device"]
                for given in [*node.args, *named][:1]:
                    words = f"{self._script.source_of(given)} becomes {self._written()} in torch.Generator(...)"
                    yield self._one(self._script.replaced(given, self._written()), words)

    def _seeds(self, call: ast.Call) -> Iterator[tuple[str, str]]:
        """Yield seeds for a generator in a call, as the script writes them, each with a remark for the user."""
        here = self._script.function_of(call)
        for node in self._script.nodes():
            if isinstance(node, ast.Call) and _last_name(node.func) in _SEEDING and len(node.args) == 1:
                given = node.args[0]
                is_seen = self._script.function_of(node) in {None, here}
                if is_seen and isinstance(given, ast.Name | ast.Attribute):
                    yield self._script.source_of(given), ""
        if "rng.seed" in self._reading.inputs:
            return  # a literal would override the seed that the user passes
        seed = self._reading.settings.value("rng.seed")
        if isinstance(seed, int):
            yield str(seed), ""
        else:
            yield str(_SEED), f"; {_SEED} is a placeholder for a number that you choose, since the script sets no seed"

    def _switch(self, key: str) -> Iterator[Proposal]:
        if not isinstance(self._value, bool):
            return
        wanted, other = ("enable", "disable") if self._value else ("disable", "enable")
        for call in self._calls_at(self._row.left.where):
            name = _last_name(call.func)
            if name in {f"{other}_{key}", f"{other}_vae_{key}"}:
                method = f"{name.replace(other, wanted, 1)}()"
                yield self._one(self._script.method_replaced(call, method), f"{name}() becomes {method}")
        made = self._pipeline()
        if made is not None and self._row.left.origin is Origin.DEFAULT:
            code = f"{made[0]}.vae.{wanted}_{key}()"
            yield self._one(self._script.line_after(made[1], code), f"add the line {code}")

    def _import(self, module: str, name: str) -> tuple[Edit, ...]:
        """Return the edit that imports a name, next to the other imports; none if it is imported already."""
        imports = [node for node in self._script.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        for node in imports:
            of = node.module if isinstance(node, ast.ImportFrom) else ""
            if of == module and any((alias.asname or alias.name) == name for alias in node.names):
                return ()
        code = f"from {module} import {name}" if module else f"import {name}"
        same_module = [node for node in imports if isinstance(node, ast.ImportFrom) and node.module == module]
        first = (same_module or imports)[-1:]
        if first:
            return (self._script.line_after(first[0], code),)
        made = self._pipeline()
        return (self._script.line_before(made[1], code),) if made else ()

    def _one(self, edit: Edit, words: str) -> Proposal:
        return Proposal((edit,), words)


def seed_of(reading: Reading) -> tuple[int | None, bool] | None:
    """Return the seed of a script and whether the user can pass another one; None if it sets no seed."""
    seed, is_given = reading.settings.value("rng.seed"), "rng.seed" in reading.inputs
    return (seed, is_given) if isinstance(seed, int) or is_given else None


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_dtype(written: str, value: Any) -> bool:
    return written == value or (written, value) in {("half", "float16"), ("float", "float32")}


def _literal(value: Any) -> str:
    is_text = isinstance(value, str) and value.isprintable()
    return json.dumps(value, ensure_ascii=False) if is_text else repr(value)
