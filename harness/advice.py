"""Advice: the lines to change in a script so that it sets what the Space sets, as a patch.

The key insight is that an edit proves itself: the patched script is read again, and an edit that does not make the
difference vanish, or that makes another one, is dropped and told in words.
"""

from __future__ import annotations

import ast
import json
import keyword
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.advice_words import words
from harness.completing import accepts, class_defaults, is_plain
from harness.reading import Reading, main_file, read_changed
from harness.rewriting import Edit, NotEditableError, Script, unified_diff
from harness.settings import Origin, Settings
from harness.why import UNSAID, Comparison, Row, compare_sources

_MOST_TRIED = 24
"""Edits tried for one difference."""
_SEED = 42
"""Where a script says no seed: the one that the written scenario takes too."""
_SEEDING = frozenset({"manual_seed", "manual_seed_all", "set_seed", "seed_everything"})
_RUNS_CODE = frozenset({"load.trust_remote_code", "load.custom_pipeline"})
"""What runs a stranger's code is never put into a patch."""
_SCHEDULER = re.compile(r"[A-Z]\w*Scheduler", re.ASCII)
_DTYPES = frozenset({"float32", "bfloat16", "float16"})


@dataclass(frozen=True)
class Advice:
    """What to change in a script.

    Attributes:
        patch: A unified diff; empty when nothing can be patched.
        name: The file that it changes, without its folder.
        folder: The file's folder, where the patch applies.
        changes: Path to the change that the patch makes, in one line.
        by_hand: Path to what is to be changed by hand, in words.
        reason: Why nothing is patched, where there is one reason for all; may be empty.
    """

    patch: str = ""
    name: str = ""
    folder: Path = field(default_factory=Path)
    changes: Mapping[str, str] = field(default_factory=dict)
    by_hand: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Proposal:
    edits: tuple[Edit, ...]
    words: str


def advise(
    source: str, script: Reading, space: Reading, found: Comparison, *, only: Collection[str] | None = None,
    ask: bool = False,
) -> Advice:  # fmt: skip
    """Return what to change in a script.

    Args:
        source: The script, as it was named; anything but a file of this machine is told about in words alone.
        script: What was read of it.
        space: What was read of the Space.
        found: What differs.
        only: The paths to change; all that differ when None.
        ask: Whether checkpoints were looked up for the comparison.
    """
    rows = [row for row in found.differences if only is None or row.path in only]
    path = Path(source)
    if not path.exists():
        return Advice(by_hand={row.path: words(row, rows) for row in rows}, reason=f"{source} is no file here")
    main = main_file(path)
    if main.suffix != ".py":
        by_hand = {row.path: words(row, rows) for row in rows}
        return Advice(name=main.name, folder=main.parent, by_hand=by_hand, reason=f"{main.name} is no .py file")
    original = main.read_bytes()
    patching = _Patching(main, original, script, space, found, ask=ask)
    everything = {"model.id", "model.pipeline"} <= {row.path for row in found.differences}  # another model altogether
    by_hand = {row.path: words(row, rows) for row in rows if everything or not _may_be_patched(row)}
    waiting = [row for row in rows if row.path not in by_hand]
    for _ in range(2):  # what needs another change first succeeds the second time
        waiting = [row for row in waiting if not patching.makes(row)]
    by_hand |= {row.path: words(row, rows) for row in waiting}
    patch = unified_diff(main.name, original, patching.content) if patching.changes else ""
    reason = _another_model(found) if everything and not patch else _not_editable(original)
    return Advice(patch, main.name, main.parent, patching.changes, by_hand, reason)


def _not_editable(content: bytes) -> str:
    """Return why a script cannot be edited; empty where it can."""
    try:
        Script(content)
    except NotEditableError as error:
        return str(error)
    return ""


def _another_model(found: Comparison) -> str:
    """Say that the two sources run different pipelines of different checkpoints, whose settings do not carry over."""
    rows = {row.path: row for row in found.differences}
    pipeline, model = rows["model.pipeline"], rows["model.id"]
    left = f"{pipeline.left.value} of {model.left.value}"
    right = f"{pipeline.right.value} of {model.right.value}"
    return f"the script runs {left}, the Space {right}: change the model first"


def _may_be_patched(row: Row) -> bool:
    makes_none = row.known is not None and row.known.size == "none"
    return not makes_none and row.right is not UNSAID and is_plain(row.right.value) and row.path not in _RUNS_CODE


class _Patching:
    """A script that is changed step by step; each step is proven by reading it again."""

    def __init__(
        self, main: Path, content: bytes, script: Reading, space: Reading, found: Comparison, *, ask: bool
    ) -> None:
        self.content = content
        self.changes: dict[str, str] = {}
        self._main = main
        self._reading = script
        self._space = space
        self._found = found
        self._ask = ask

    def makes(self, row: Row) -> bool:
        """Make a change, and return whether it could be made."""
        now = next((one for one in self._found.differences if one.path == row.path), None)
        if now is None:  # an earlier change did it too
            self.changes[row.path] = "comes with another change"
            return True
        try:
            proposer = _Proposer(Script(self.content), self._main.name, self._reading, self._found.script, now)
            for proposal, _ in zip(proposer.proposals(), range(_MOST_TRIED), strict=False):
                if self._succeeds(proposal, row.path):
                    self.changes[row.path] = proposal.words
                    return True
        except NotEditableError:
            return False
        return False

    def _succeeds(self, proposal: _Proposal, path: str) -> bool:
        """Return whether an edit makes one difference vanish and no other appear; keep it if so."""
        try:
            content = Script(self.content).edited(proposal.edits)
            Script(content)
        except NotEditableError:
            return False
        reading = read_changed(self._main, content)
        if _seed_of(self._reading) not in {None, _seed_of(reading)}:
            return False
        found = compare_sources(reading, self._space, ask=self._ask)
        before = {row.path for row in self._found.differences}
        after = {row.path for row in found.differences}
        if path in after or not after < before or len(found.questions) > len(self._found.questions):
            return False
        self.content, self._reading, self._found = content, reading, found
        return True


class _Proposer:
    """Thinks of edits that may make one difference vanish, the most likely first."""

    def __init__(self, script: Script, name: str, reading: Reading, settings: Settings, row: Row) -> None:
        self._script = script
        self._settings = settings
        self._name = name
        self._reading = reading
        self._row = row
        self._value = row.right.value

    def proposals(self) -> Iterator[_Proposal]:
        """Yield the edits."""
        table, _, key = self._row.path.partition(".")
        if not key.isidentifier() or (keyword.iskeyword(key) and self._row.path != "scheduler.class"):
            return
        yield from self._at_the_value()
        makers: dict[str, Callable[[str], Iterator[_Proposal]]] = {
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
        """Return the line that a place of the script names; 0 where it is in another file, or in none."""
        found = re.match(r"(.*?):(\d+)(?:,|$)", where, re.DOTALL)
        return int(found[2]) if found and found[1] == self._name else 0

    def _at_the_value(self) -> Iterator[_Proposal]:
        """Put the value in the place of the one that the script says."""
        line = self._line(self._row.left.where)
        if not line or self._row.left.origin is not Origin.READ:
            return
        for node in self._script.expressions_on(line):
            text = self._replacement(node)
            if text:
                yield self._one(self._script.replaced(node, text), f"{self._script.source_of(node)} becomes {text}")

    def _replacement(self, node: ast.expr) -> str:
        """Return what to write for an expression that says the old value; empty for any other."""
        left, path = self._row.left.value, self._row.path
        if path == "model.dtype" and isinstance(node, ast.Attribute) and self._value in _DTYPES:
            return f"{self._script.source_of(node.value)}.{self._value}" if _is_dtype(node.attr, left) else ""
        try:
            said = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return ""
        if path == "rng.device" and isinstance(said, str) and said.partition(":")[0] == left:
            return self._written() if self._value in {"cpu", "cuda", "mps"} else ""
        same = type(said) is type(left) and said == left
        return self._written() if same and path != "scheduler.class" else ""

    def _written(self) -> str:
        return _literal(self._value)

    def _in_the_call(self, key: str) -> Iterator[_Proposal]:
        if accepts(str(self._settings.value("model.pipeline")), key):
            for call in self._calls_at(self._reading.called_at):
                yield from self._argument(call, key, self._written())

    def _argument(self, call: ast.Call, key: str, text: str) -> Iterator[_Proposal]:
        """Give a call an argument, in place of one that it has."""
        argument = f"{key}={text}"
        for given in call.keywords:
            if given.arg == key:
                yield self._one(self._script.replaced(given.value, text), argument)
                return
        if self._row.left.origin is Origin.DEFAULT or key == "generator":  # else it is given already, in another way
            words = f"add {argument} to {self._script.source_of(call.func)}(...)"
            yield _Proposal(tuple(self._script.with_keyword(call, argument)), words)

    def _calls_at(self, where: str) -> list[ast.Call]:
        line = self._line(where)
        return [node for node in self._script.expressions_on(line) if isinstance(node, ast.Call)] if line else []

    def _at_loading(self, key: str) -> Iterator[_Proposal]:
        names = {"dtype": "torch_dtype", "revision": "revision", "variant": "variant"}
        of_model = self._row.path.startswith("model.")
        name = names.get(key, "") if of_model else key
        text = f"torch.{self._value}" if key == "dtype" and of_model and self._value in _DTYPES else self._written()
        for call in self._calls_at(self._loaded_at()) if name else ():
            for proposal in self._argument(call, name, text):
                if text.startswith("torch."):
                    yield _Proposal((*self._import("", "torch"), *proposal.edits), proposal.words)
                else:
                    yield proposal

    def _loaded_at(self) -> str:
        loaded = self._reading.settings.get("model.pipeline")
        return loaded.where if loaded else ""

    def _at_export(self, key: str) -> Iterator[_Proposal]:
        for node in self._script.nodes():
            if isinstance(node, ast.Call) and _last_name(node.func) == "export_to_video":
                yield from self._argument(node, key, self._written())

    def _pipeline(self) -> tuple[str, ast.stmt] | None:
        """Return the name that the pipeline is kept under, and the statement that makes it."""
        for call in self._calls_at(self._loaded_at()):
            statement = self._script.statement_of(call)
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            if statement is not None and len(targets) == 1 and isinstance(targets[0], ast.Name | ast.Attribute):
                return self._script.source_of(targets[0]), statement
        return None

    def _scheduler(self, key: str) -> Iterator[_Proposal]:
        said = self._reading.settings.get("scheduler.class")
        if key == "class":
            yield from self._scheduler_class()
            return
        for call in self._calls_at(said.where) if said else ():
            is_made = str(said and said.value) == _last_name(call.func)
            if _last_name(call.func) == "from_config" or (is_made and key in class_defaults(_last_name(call.func))):
                yield from self._argument(call, key, self._written())
        kind = self._settings.value("scheduler.class")
        if said is None and isinstance(kind, str) and _SCHEDULER.fullmatch(kind):
            yield from self._new_scheduler(kind, f", {key}={self._written()}")

    def _scheduler_class(self) -> Iterator[_Proposal]:
        kind = str(self._value)
        if not _SCHEDULER.fullmatch(kind):
            return
        for call in self._calls_at(self._row.left.where):
            made_from = (
                call.func if _last_name(call.func) == "from_config" else None
            )  # drops what a class does not take
            node = made_from.value if isinstance(made_from, ast.Attribute) else None
            if node is not None and _last_name(node) == self._row.left.value:
                words = f"{self._script.source_of(node)} becomes {kind}"
                yield _Proposal((*self._import("diffusers", kind), self._script.replaced(node, kind)), words)
        if self._row.left.origin is Origin.DEFAULT:
            yield from self._new_scheduler(kind, "")

    def _new_scheduler(self, kind: str, arguments: str) -> Iterator[_Proposal]:
        made = self._pipeline()
        if made is None:
            return
        name, statement = made
        code = f"{name}.scheduler = {kind}.from_config({name}.scheduler.config{arguments})"
        edits = (*self._import("diffusers", kind), self._script.line_after(statement, code))
        yield _Proposal(edits, f"add the line {code}")

    def _generator(self, key: str) -> Iterator[_Proposal]:
        if key != "device" or self._value not in {"cpu", "cuda", "mps"} or self._row.left.value != "global":
            return
        for call in self._calls_at(self._reading.called_at):
            for seed, remark in self._seeds(call):
                text = f"torch.Generator({_literal(self._value)}).manual_seed({seed})"
                for proposal in self._argument(call, "generator", text):
                    words = f"{proposal.words}{remark}"
                    yield _Proposal((*self._import("", "torch"), *proposal.edits), words)

    def _seeds(self, call: ast.Call) -> Iterator[tuple[str, str]]:
        """Yield what a generator beside a call may be seeded with, as the script writes it, and what to say of it."""
        here = self._script.function_of(call)
        for node in self._script.nodes():
            if isinstance(node, ast.Call) and _last_name(node.func) in _SEEDING and len(node.args) == 1:
                given = node.args[0]
                is_seen = self._script.function_of(node) in {None, here}
                if is_seen and isinstance(given, ast.Name | ast.Attribute):
                    yield self._script.source_of(given), ""
        if "rng.seed" in self._reading.inputs:
            return  # a literal would take the seed out of the user's hands
        said = self._reading.settings.value("rng.seed")
        if isinstance(said, int):
            yield str(said), ""
        else:
            yield str(_SEED), f"; {_SEED} stands for a number that you choose, since the script says no seed"

    def _switch(self, key: str) -> Iterator[_Proposal]:
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
        """Return the edit that imports a name, none where that is done, as the statements above the code do it."""
        imports = [node for node in self._script.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        for node in imports:
            of = node.module if isinstance(node, ast.ImportFrom) else ""
            if of == module and any((alias.asname or alias.name) == name for alias in node.names):
                return ()
        code = f"from {module} import {name}" if module else f"import {name}"
        beside = [node for node in imports if isinstance(node, ast.ImportFrom) and node.module == module]
        first = (beside or imports)[-1:]
        if first:
            return (self._script.line_after(first[0], code),)
        made = self._pipeline()
        return (self._script.line_before(made[1], code),) if made else ()

    def _one(self, edit: Edit, words: str) -> _Proposal:
        return _Proposal((edit,), words)


def _seed_of(reading: Reading) -> tuple[int | None, bool] | None:
    """Return a script's seed, and whether whoever runs it may give another; None where it says none."""
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
