"""Where a difference is removed: the script, what was read of it, and the difference."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import libcst as cst

from spacediff.python_code import as_code
from spacediff.reading import Reading
from spacediff.settings import Origin, Settings
from spacediff.why.compared import UNSET, SourceDifference
from spacediff.why.editing import (
    AddedArgument,
    AddedLine,
    Operation,
    RemovedArgument,
    RemovedStatement,
    Replacement,
    Script,
)

LOADERS = frozenset({"from_pretrained", "from_single_file", "from_pipe"})


@dataclass(frozen=True, slots=True)
class Proposal:
    """Operations that belong together.

    Attributes:
        operations: What to change.
        words: The same in one line.
        also: Paths of other settings whose differences they remove too.
    """

    operations: tuple[Operation, ...]
    words: str
    also: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Site:
    """A difference in a script.

    Attributes:
        script: The script.
        name: Its file name.
        reading: What was read of it.
        settings: Its settings, defaults included.
        signature: The class whose arguments its call has; empty if it is unknown.
        row: The difference.
        wanted: All differences that a patch is to remove, by path.
        space: What was read of the Space.
    """

    script: Script
    name: str
    reading: Reading
    settings: Settings
    signature: str
    row: SourceDifference
    wanted: Mapping[str, SourceDifference]
    space: Reading

    @property
    def value(self) -> Any:
        """The value of the Space."""
        return self.row.right.value

    @property
    def is_absent(self) -> bool:
        """Whether the script does not set it."""
        return self.row.left is UNSET or self.row.left.origin is Origin.DEFAULT

    @property
    def is_removed(self) -> bool:
        """Whether the Space does not set it, and no default is known."""
        return self.row.right is UNSET

    def line(self, where: str) -> int:
        """Return the line of a place in the script; 0 for a place in another file, or none."""
        return line_in(self.name, where)

    def calls_at(self, where: str) -> list[cst.Call]:
        """Return the calls that begin at a place."""
        line = self.line(where)
        return [node for node in self.script.expressions_on(line) if isinstance(node, cst.Call)] if line else []

    def loader(self) -> cst.Call | None:
        """Return the call that creates the pipeline."""
        loaded = self.reading.settings.get("model.pipeline")
        calls = self.calls_at(loaded.where) if loaded else []
        named = [call for call in calls if last_name(call.func) in LOADERS]
        made = [call for call in calls if last_name(call.func) == (loaded and loaded.value)]
        return next(iter([*named, *made]), None)

    def pipeline_calls(self) -> list[cst.Call]:
        """Return the calls that may be that of the pipeline, the most likely first."""
        calls = [call for call in self.calls_at(self.reading.called_at) if last_name(call.func) not in LOADERS | {"to"}]
        taken = {path.removeprefix("call.") for path in self.reading.settings if path.startswith("call.")}
        taken |= {"generator"}
        known = [call for call in calls if taken & keywords(call).keys()]
        return sorted(known or calls, key=lambda call: -len(taken & keywords(call).keys()))

    def made(self) -> tuple[str, cst.BaseStatement] | None:
        """Return the name of the pipeline in the script, and the statement that creates it."""
        loader = self.loader()
        statement = self.script.statement_of(loader) if loader else None
        if not isinstance(statement, cst.SimpleStatementLine):
            return None
        for small in statement.body:
            targets = [one.target for one in small.targets] if isinstance(small, cst.Assign) else []
            targets += [small.target] if isinstance(small, cst.AnnAssign) else []
            if len(targets) == 1 and isinstance(targets[0], cst.Name | cst.Attribute):
                return self.script.source_of(targets[0]), statement
        return None

    def after_made(self, code: str) -> Iterator[tuple[str, Operation]]:
        """Yield ways to add a line once the pipeline exists, and the line; `{pipe}` in it is the pipeline's name."""
        made = self.made()
        if made is not None:
            line = code.replace("{pipe}", made[0])
            yield line, AddedLine(made[1], line)
        for call in self.pipeline_calls():
            statement = self.script.statement_of(call)
            if isinstance(call.func, cst.Name | cst.Attribute) and statement is not None:
                line = code.replace("{pipe}", self.script.source_of(call.func))
                yield line, AddedLine(statement, line, before=True)

    def argument(self, call: cst.Call, name: str, code: str) -> Iterator[Proposal]:
        """Set an argument of a call, replacing the value that it has."""
        given = keywords(call).get(name)
        if given is not None:
            yield Proposal((Replacement(given.value, code),), f"{name}={code}")
        elif self.is_absent and name.isidentifier():
            words = f"add {name}={code} to {self.script.source_of(call.func)}(...)"
            yield Proposal((AddedArgument(call, name, code),), words)

    def removed(self, call: cst.Call, name: str) -> Iterator[Proposal]:
        """Remove an argument of a call."""
        if name in keywords(call):
            words = f"remove {name}=... from {self.script.source_of(call.func)}(...)"
            yield Proposal((RemovedArgument(call, name),), words)

    def without_line(self) -> Iterator[Proposal]:
        """Remove the line that gives the setting its value, if it does nothing else."""
        line = self.line(self.row.left.where)
        for node in self.script.expressions_on(line)[:1] if line else ():
            statement = self.script.statement_of(node)
            if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
                small = statement.body[0]
                targets = [one.target for one in small.targets] if isinstance(small, cst.Assign) else []
                is_call = isinstance(small, cst.Expr) and isinstance(small.value, cst.Call)
                if is_call or (targets and all(isinstance(one, cst.Attribute) for one in targets)):
                    words = f"remove the line {self.script.source_of(statement)}"
                    yield Proposal((RemovedStatement(statement),), words)

    def code(self) -> str:
        """Return the Space's value as code; empty if it is not a constant."""
        return as_code(self.value)


def line_in(name: str, where: str) -> int:
    """Return the line of a place, where it is in the file of this name; 0 for a place in another file, or none."""
    found = re.match(r"(.*?):(\d+)(?:,|$)", where, re.DOTALL)
    return int(found[2]) if found and found[1] == name else 0


def keywords(call: cst.Call) -> dict[str, cst.Arg]:
    """Return the keyword arguments of a call by name."""
    return {each.keyword.value: each for each in call.args if each.keyword is not None}


def last_name(node: cst.BaseExpression) -> str:
    """Return the name of a function without what it belongs to; empty for any other expression."""
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


def with_operations(proposal: Proposal, operations: tuple[Operation, ...]) -> Proposal:
    """Return a proposal with more operations."""
    return Proposal((*operations, *proposal.operations), proposal.words, proposal.also)
