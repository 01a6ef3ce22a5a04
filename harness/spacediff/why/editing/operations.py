"""Operations on a lossless syntax tree, each on a node of the original tree.

The key insight is that operations name nodes of the tree as it was parsed. So any set of them can be applied at once,
however they share calls and blocks, and the file is parsed only once for all sets that are tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

import libcst as cst

from spacediff.why.editing.conflict import ConflictError
from spacediff.why.editing.layout import key_of, with_argument, without_argument, without_entry


@dataclass(frozen=True, slots=True)
class Replacement:
    """Replaces an expression by another one."""

    node: cst.BaseExpression
    code: str


@dataclass(frozen=True, slots=True)
class AddedArgument:
    """Adds a keyword argument to a call, in the layout of its other arguments."""

    node: cst.Call
    name: str
    code: str


@dataclass(frozen=True, slots=True)
class RemovedArgument:
    """Removes a keyword argument of a call."""

    node: cst.Call
    name: str


@dataclass(frozen=True, slots=True)
class RemovedEntry:
    """Removes an entry of a dict."""

    node: cst.Dict
    entry: cst.DictElement


@dataclass(frozen=True, slots=True)
class AddedLine:
    """Adds a line after a statement, or before it, with the same indentation."""

    node: cst.BaseStatement
    code: str
    before: bool = False


@dataclass(frozen=True, slots=True)
class RemovedStatement:
    """Removes a statement that stands on a line of its own."""

    node: cst.BaseStatement


Operation: TypeAlias = Replacement | AddedArgument | RemovedArgument | RemovedEntry | AddedLine | RemovedStatement


class Applied(cst.CSTTransformer):
    """Applies operations to a tree; only the way to their nodes is visited.

    Args:
        operations: What to change.
        parents: Node to its parent, for every node of the tree.
        config: How the file is written, such as its line ends.

    Raises:
        ConflictError: Two operations replace the same expression, or give the same argument.
    """

    def __init__(
        self,
        operations: Iterable[Operation],
        parents: Mapping[cst.CSTNode, cst.CSTNode],
        config: cst.PartialParserConfig,
    ) -> None:
        super().__init__()
        self._config = config
        self._on_nodes: dict[cst.CSTNode, list[Operation]] = {}
        self._in_blocks: dict[cst.CSTNode, list[AddedLine | RemovedStatement]] = {}
        self._visited: set[cst.CSTNode] = set()
        for operation in dict.fromkeys(operations):
            node: cst.CSTNode = operation.node
            if isinstance(operation, AddedLine | RemovedStatement):
                node = parents[operation.node]
                self._in_blocks.setdefault(node, []).append(operation)
            else:
                self._on_nodes.setdefault(node, []).append(operation)
            while node not in self._visited:
                self._visited.add(node)
                node = parents.get(node, node)

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Visit only what leads to an operation."""
        return node in self._visited

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:  # type: ignore[override]
        """Apply the operations on a node."""
        if original_node in self._in_blocks:
            return self._block(original_node, updated_node)
        changed = updated_node
        for operation in self._on_nodes.get(original_node, ()):
            if isinstance(operation, Replacement):
                if changed is not updated_node:
                    raise ConflictError("two edits replace the same expression")
                changed = self._replaced(cast("cst.BaseExpression", updated_node), operation.code)
            elif isinstance(operation, AddedArgument):
                value = cst.parse_expression(operation.code, self._config)
                changed = with_argument(cast("cst.Call", changed), operation.name, value)
            elif isinstance(operation, RemovedArgument):
                changed = without_argument(cast("cst.Call", changed), operation.name)
            elif isinstance(operation, RemovedEntry):
                changed = without_entry(cast("cst.Dict", changed), key_of(operation.entry))
        return changed

    def _replaced(self, node: cst.BaseExpression, code: str) -> cst.BaseExpression:
        """Return an expression in the parentheses of the one that it replaces."""
        new = cst.parse_expression(code, self._config)
        if isinstance(node, cst.Tuple) and isinstance(new, cst.Tuple):  # the parentheses of a tuple are its own
            return new
        return new.with_changes(lpar=[*node.lpar, *new.lpar], rpar=[*new.rpar, *node.rpar])

    def _block(self, original: cst.CSTNode, updated: cst.CSTNode) -> cst.CSTNode:
        """Add and remove lines of a block; comments above a removed statement stay."""
        operations = self._in_blocks[original]
        body: list[cst.BaseStatement] = []
        waiting: list[cst.EmptyLine] = []
        for old, new in zip(_body(original), _body(updated), strict=True):
            mine = [one for one in operations if one.node is old]
            before = [self._line(one.code) for one in mine if isinstance(one, AddedLine) and one.before]
            statement = _with_leading_lines(new, [*waiting, *_leading_lines(new)])
            waiting = []
            if before:
                blank, rest = _split_at_comment(_leading_lines(statement))
                before[0] = _with_leading_lines(before[0], blank)
                statement = _with_leading_lines(statement, rest)
            body += before
            if any(isinstance(one, RemovedStatement) for one in mine):
                waiting = [line for line in _leading_lines(statement) if line.comment or not body]
            else:
                body.append(statement)
            body += [self._line(one.code) for one in mine if isinstance(one, AddedLine) and not one.before]
        if not body and isinstance(original, cst.IndentedBlock):
            body, waiting = [_with_leading_lines(self._line("pass"), waiting)], []
        footer = [*waiting, *cast("cst.IndentedBlock", updated).footer]
        return updated.with_changes(body=body, footer=footer)

    def _line(self, code: str) -> cst.BaseStatement:
        return cst.parse_statement(code, self._config)


def _body(block: cst.CSTNode) -> list[cst.BaseStatement]:
    return list(cast("cst.IndentedBlock", block).body)


def _leading_lines(statement: cst.BaseStatement) -> list[cst.EmptyLine]:
    return list(cast("cst.SimpleStatementLine", statement).leading_lines)


def _with_leading_lines(statement: cst.BaseStatement, lines: list[cst.EmptyLine]) -> cst.BaseStatement:
    return statement.with_changes(leading_lines=lines)


def _split_at_comment(lines: list[cst.EmptyLine]) -> tuple[list[cst.EmptyLine], list[cst.EmptyLine]]:
    """Return the blank lines at the beginning, and the rest."""
    for number, line in enumerate(lines):
        if line.comment is not None:
            return lines[:number], lines[number:]
    return lines, []
