"""Paths, and modules that are imported by their path or by a text.

A path is a text here. The path of a file of the source is that from the folder of the main file.
"""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Callable

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.modules import import_from_folder
from spacediff.reading.interpreter.state import State
from spacediff.reading.values import Arguments, Asked, External, Known, Value, lift, methods

_PARTS: dict[str, Callable[[str], str]] = {
    "parent": lambda path: "" if (folder := methods.folder_of(path)) == "." else folder,
    "stem": lambda path: posixpath.splitext(posixpath.basename(path))[0],
    "suffix": lambda path: posixpath.splitext(path)[1],
}
_SAME = frozenset({"resolve", "absolute", "expanduser", "as_posix"})
_IMPORTS = frozenset({"importlib.import_module", "import_module", "__import__"})


class Paths(Library):
    """`pathlib`'s attributes and methods of paths, `sys.path`, and `importlib.import_module`."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return a module that is imported by its name, or look for modules in another folder."""
        if function.name in {"sys.path.append", "sys.path.insert", "site.addsitedir"} and arguments.positional:
            folder = arguments.positional[-1]
            if isinstance(folder, Known) and isinstance(folder.value, str):
                import_from_folder(state, folder.value)
            return Known(state.where(node), None)
        first = arguments.get("name", 0)
        if function.name not in _IMPORTS or not isinstance(first, Known) or not isinstance(first.value, str):
            return None
        dotted = first.value.lstrip(".")
        return state.module(dotted, node) or External(state.where(node), dotted)

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the path that a method makes of a path."""
        if not isinstance(owner, Known | Asked):
            return None
        if name in _SAME and not arguments.every():
            return owner
        if name != "joinpath":
            return None
        unknown = state.unknown(node, owner, *arguments.positional)
        return lift(lambda *parts: _joined(parts, state.where(node)) or unknown, [owner, *arguments.positional])

    def attribute(self, state: State, owner: Value, name: str, node: ast.AST) -> Value | None:
        """Return a part of a path, such as its folder, or the value of a member of an `Enum` that is a text."""
        if name == "value" and isinstance(owner, Known):
            return owner
        if name not in _PARTS or not isinstance(owner, Known) or not isinstance(owner.value, str):
            return None
        return Known(state.where(node), _PARTS[name](owner.value))


def _joined(parts: tuple[Value, ...], where: str) -> Value | None:
    texts = [part.value for part in parts if isinstance(part, Known) and isinstance(part.value, str)]
    return Known(where, posixpath.join(*texts)) if texts and len(texts) == len(parts) else None
