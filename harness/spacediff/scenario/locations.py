"""Find the line of each key of a TOML text.

tomllib gives the values without their lines. So does tomlkit, which also refuses a broken text. The key insight is that
a syntax tree gives the lines without the values, and that the dotted path joins both. tree-sitter continues after an
error, so that even a broken text has lines.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import tree_sitter_toml
from tree_sitter import Language, Parser

from spacediff.scenario.writing import written_key

if TYPE_CHECKING:
    from tree_sitter import Node

Parts = tuple[str | int, ...]
"""A path in pieces: keys, and the indices of list items."""

DEEPEST = 64
"""Largest number of pieces of a path; anything deeper has the line of its ancestor."""

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[^."]+')
_KEY_TYPES = frozenset({"bare_key", "quoted_key", "dotted_key"})


def dotted(parts: Iterable[str | int]) -> str:
    """Join the pieces of a path; a key that TOML would need quotes for is quoted."""
    return ".".join(written_key(str(part)) for part in parts)


class Places(Mapping[str, int]):
    """Dotted path to 1-based line; list items have their index as a piece, such as `variants.all.from.0`."""

    def __init__(self, named: Sequence[tuple[str, int]] = (), implied: Mapping[str, int] | None = None) -> None:
        self._lines = {**(implied or {}), **dict(reversed(named))}
        self._outermost = {line: path for path, line in sorted(named, key=lambda place: -len(place[0]))}

    def __getitem__(self, path: str) -> int:
        return self._lines[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def line_of(self, path: str) -> int:
        """Return the line of a path, or of its nearest ancestor that exists; the whole text begins on line 1."""
        pieces = _PIECE.findall(path)
        while pieces:
            line = self._lines.get(".".join(pieces))
            if line is not None:
                return line
            pieces.pop()
        return 1

    def renamed(self, prefixes: Mapping[str, str]) -> Places:
        """Return the places under further names: what is below an old prefix is found below its new one as well."""
        also = [
            (new + path[len(old) :], line)
            for path, line in self._lines.items()
            for old, new in prefixes.items()
            if path == old or path.startswith(f"{old}.")
        ]
        return Places([*self._lines.items(), *also])

    def path_on(self, line: int) -> str:
        """Return the outermost path that is named on a line, or an empty text."""
        return self._outermost.get(line, "")


def places(text: str) -> Places:
    """Find the line of every key, table and list item of a TOML text, broken or not."""
    parser = Parser(Language(tree_sitter_toml.language()))
    survey = _Survey()
    survey.visit(parser.parse(text.encode("utf-8", "surrogatepass")).root_node)
    return Places(survey.named, survey.implied)


class _Survey:
    """What one walk over the syntax tree finds.

    Attributes:
        named: Paths with the lines that name exactly them; the first counts, and a second one is a mistake.
        implied: Path to line where it is first the beginning of a longer name.
        counts: How many items an array of tables has so far.
    """

    def __init__(self) -> None:
        self.named: list[tuple[str, int]] = []
        self.implied: dict[str, int] = {}
        self.counts: dict[Parts, int] = {}

    def visit(self, root: Node) -> None:
        """Walk in the order of the text, since `[[x]]` numbers its tables by it; no recursion: texts may nest deep."""
        pending: list[tuple[Node, Parts]] = [(root, ())]
        while pending:
            node, path = pending.pop()
            if len(path) < DEEPEST:
                pending.extend(reversed(list(self._within(node, path))))

    def _within(self, node: Node, path: Parts) -> Iterator[tuple[Node, Parts]]:
        """Note what a node names and yield the nodes inside it with their paths."""
        children = node.children
        if node.type == "array":
            items = [child for child in children if child.is_named and child.type != "comment"]
            for index, item in enumerate(items):
                self._note((*path, index), item)
                yield item, (*path, index)
            return
        if node.type in {"pair", "table", "table_array_element"}:
            key = next((child for child in children if child.type in _KEY_TYPES), None)
            if key is not None:
                path = self._entered(node, key, path)
                children = [child for child in children if child != key]
        elif node.type == "ERROR":
            for key, sign in pairwise(children):
                if key.type in _KEY_TYPES and sign.type == "=":
                    self._note((*path, *_parts(key)), key)
        for child in children:
            if child.child_count:
                yield child, path

    def _entered(self, node: Node, key: Node, path: Parts) -> Parts:
        """Note the path that a pair or a header opens, and return it."""
        if node.type == "pair":
            full = (*path, *_parts(key))
            self._note(full, key)
            return full
        full = ()
        names = _parts(key)
        for position, name in enumerate(names, start=1):
            full = (*full, name)
            if full in self.counts and (position < len(names) or node.type == "table"):
                full = (*full, self.counts[full] - 1)
        self._note(full, key)
        if node.type == "table_array_element":
            index = self.counts.get(full, 0)
            self.counts[full] = index + 1
            full = (*full, index)
            self._note(full, key)
        return full

    def _note(self, path: Parts, node: Node) -> None:
        path, line = path[:DEEPEST], node.start_point[0] + 1
        self.named.append((dotted(path), line))
        for end in range(1, len(path)):
            self.implied.setdefault(dotted(path[:end]), line)


def _parts(key: Node) -> tuple[str, ...]:
    """Return the keys that a key node holds, in order and without quotes."""
    found: list[str] = []
    pending = [key]
    while pending:
        node = pending.pop()
        if node.type == "dotted_key":
            pending.extend(reversed([child for child in node.children if child.type in _KEY_TYPES]))
        else:
            found.append(_unquoted((node.text or b"").decode("utf-8", "replace")))
    return tuple(found[:DEEPEST])


def _unquoted(key: str) -> str:
    if not key.startswith(('"', "'")):
        return key
    try:
        return next(iter(tomllib.loads(f"{key} = 0")))
    except ValueError:  # a broken text may break off inside a key
        return key.strip("\"'")
