"""A Python file as a lossless syntax tree, with the places that its reading names."""

from __future__ import annotations

import ast
import functools
import re
import warnings
from collections.abc import Iterable, Iterator
from typing import TypeVar

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, ParentNodeProvider, PositionProvider

from spacediff.reading.syntax import parsed
from spacediff.why.editing.conflict import ConflictError
from spacediff.why.editing.layout import key_of
from spacediff.why.editing.operations import Applied, Operation

_MOST_NESTED = 150
"""Nesting of a file that is edited; the parser of LibCST ends the process when its stack is full."""

_Node = TypeVar("_Node", bound=cst.CSTNode)


class NotEditableError(Exception):
    """A text that cannot be edited safely; the message says why."""


class Script:
    """A Python file with its syntax tree. Lines are counted from 1.

    Args:
        content: The file.

    Raises:
        NotEditableError: It is not UTF-8 or not Python, it is nested too deeply, or some of its lines end in a
            carriage return alone.
    """

    def __init__(self, content: bytes) -> None:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise NotEditableError("it is not in UTF-8: save it in UTF-8 first") from error
        try:
            if _depth(parsed(text)) > _MOST_NESTED:
                raise NotEditableError("it is nested too deeply")
            self.module = cst.parse_module(content)
        except (SyntaxError, ValueError, RecursionError, MemoryError, cst.ParserSyntaxError) as error:
            raise NotEditableError("it is not Python") from error
        if re.search(r"\r(?!\n)", text):
            raise NotEditableError("some of its lines end in a carriage return alone")
        if self.module.bytes != content:
            raise NotEditableError("its syntax tree does not give the same file")

    @functools.cached_property
    def _wrapper(self) -> MetadataWrapper:
        return MetadataWrapper(self.module, unsafe_skip_copy=True)

    @functools.cached_property
    def _parents(self) -> dict[cst.CSTNode, cst.CSTNode]:
        return dict(self._wrapper.resolve(ParentNodeProvider))

    @functools.cached_property
    def _ranges(self) -> dict[cst.CSTNode, CodeRange]:
        """Every node with its range, outer and earlier ones first; what stands in an f-string is left out."""
        ranges = self._wrapper.resolve(PositionProvider)
        found = {}
        waiting: list[cst.CSTNode] = [self.module]
        while waiting:
            node = waiting.pop()
            if node in ranges:
                found[node] = ranges[node]
            if not isinstance(node, cst.FormattedString):
                waiting.extend(reversed(node.children))
        return found

    @functools.cached_property
    def _expressions(self) -> dict[int, list[cst.BaseExpression]]:
        by_line: dict[int, list[cst.BaseExpression]] = {}
        for node, place in self._ranges.items():
            if isinstance(node, cst.BaseExpression):
                by_line.setdefault(place.start.line, []).append(node)
        return by_line

    def expressions_on(self, line: int) -> list[cst.BaseExpression]:
        """Return the expressions that begin on a line, outer ones first."""
        return self._expressions.get(line, [])

    def every(self, kind: type[_Node]) -> Iterator[_Node]:
        """Yield all nodes of a kind in the order of the file."""
        return (node for node in self._ranges if isinstance(node, kind))

    def line_of(self, node: cst.CSTNode) -> int:
        """Return the line on which a node begins."""
        return self._ranges[node].start.line

    def source_of(self, node: cst.CSTNode) -> str:
        """Return the text of a node."""
        return self.module.code_for_node(node).strip()

    def statement_of(self, node: cst.CSTNode) -> cst.BaseStatement | None:
        """Return the innermost statement around a node that lines can be added to; None if there is none."""
        for outer in self._around(node):
            if isinstance(outer, cst.SimpleStatementSuite):
                return None
            if isinstance(outer, cst.BaseStatement) and isinstance(
                self._parents[outer], cst.Module | cst.IndentedBlock
            ):
                return outer
        return None

    def function_of(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """Return the innermost named function around a node; None at the level of the file."""
        return next((outer for outer in self._around(node) if isinstance(outer, cst.FunctionDef)), None)

    def imports(self) -> list[cst.Import | cst.ImportFrom]:
        """Return all imports in the order of the file."""
        return [node for node in self._ranges if isinstance(node, cst.Import | cst.ImportFrom)]

    def is_unconditional(self, statement: cst.BaseStatement) -> bool:
        """Return whether a statement always runs when its function, or the file, does."""
        block = self._parents[statement]
        return isinstance(block, cst.Module) or isinstance(self._parents[block], cst.FunctionDef)

    def name_of(self, value: cst.BaseExpression) -> str:
        """Return the name under which an expression is passed or stored; empty if it has none."""
        parent = self._parents[value]
        if isinstance(parent, cst.Arg):
            name: cst.CSTNode | None = parent.keyword
        elif isinstance(parent, cst.Assign):
            name = parent.targets[0].target
        elif isinstance(parent, cst.AnnAssign):
            name = parent.target
        elif isinstance(parent, cst.Param):
            name = parent.name
        elif isinstance(parent, cst.DictElement):
            return key_of(parent)
        else:
            return ""
        return name.value if isinstance(name, cst.Name) else ""

    def entries(self, line: int, key: str) -> list[tuple[cst.Dict, cst.DictElement]]:
        """Return the entries of dicts with a key whose values begin on a line, with their dicts."""
        found = [self._parents[node] for node in self.expressions_on(line)]
        entries = [each for each in found if isinstance(each, cst.DictElement) and key_of(each) == key]
        tables = [self._parents[each] for each in entries]
        return [(table, each) for table, each in zip(tables, entries, strict=True) if isinstance(table, cst.Dict)]

    def keys_around(self, node: cst.CSTNode) -> list[str]:
        """Return the keys under which a node stands in dicts, inner ones first."""
        return [key_of(outer) for outer in self._around(node) if isinstance(outer, cst.DictElement)]

    def uses_of(self, name: str) -> int:
        """Return how often a name stands in the file."""
        return sum(node.value == name for node in self.every(cst.Name))

    def _around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield a node and all nodes around it."""
        while node in self._parents:
            yield node
            node = self._parents[node]

    def edited(self, operations: Iterable[Operation]) -> bytes:
        """Return the file after some operations.

        Raises:
            NotEditableError: Two of them exclude each other, or what comes out is not Python.
        """
        try:
            config = self.module.config_for_parsing
            changed = self.module.visit(Applied(operations, self._parents, config)).bytes
            _compiled(changed)
        except (ConflictError, SyntaxError, ValueError, RecursionError, cst.ParserSyntaxError) as error:
            raise NotEditableError(str(error)) from error
        return changed


def _compiled(content: bytes) -> None:
    """Compile a file, which shows more errors than parsing it, such as an argument that is given twice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(content, "patched", "exec", dont_inherit=True)


def _depth(tree: ast.AST) -> int:
    """Return how deeply the nodes of a tree are nested."""
    deepest, waiting = 0, [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting.extend((child, depth + 1) for child in ast.iter_child_nodes(node))
    return deepest
