"""Functions that open and parse files of the source: `open`, `Path.read_text`, `json.load`, `yaml.safe_load`."""

from __future__ import annotations

import ast
from collections.abc import Callable

from spacediff.reading.interpreter.library import Library
from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.files.formats import Reader
from spacediff.reading.values import Arguments, Asked, External, Items, Known, Object, Table, Value, constants, keys

_OPENS = frozenset({"open", "io.open", "codecs.open"})
_PARSERS: dict[str, Callable[[Reader], Value | None]] = {
    "json.load": Reader.json,
    "json.loads": Reader.json,
    "json5.load": Reader.json,
    "toml.load": Reader.toml,
    "toml.loads": Reader.toml,
    "tomli.load": Reader.toml,
    "tomli.loads": Reader.toml,
    "tomllib.load": Reader.toml,
    "tomllib.loads": Reader.toml,
    "yaml.full_load": Reader.yaml,
    "yaml.load": Reader.yaml,
    "yaml.safe_load": Reader.yaml,
    "OmegaConf.load": lambda reader: reader.yaml(as_omegaconf=True),
}
"""The last two names of a function to what reads the text that it is given, or the file that has it."""
_BY_PATH = frozenset({"OmegaConf.load", "toml.load"})
"""Functions that are given the path of a file."""
_INI = frozenset({"ConfigParser", "RawConfigParser", "SafeConfigParser"})
_CONVERSIONS = {"getint": "int", "getfloat": "float"}
_TRUE, _FALSE = frozenset({"1", "yes", "true", "on"}), frozenset({"0", "no", "false", "off"})


class OwnFiles(Library):
    """Reads small files next to the source that it opens by a known name; a file that is missing is unknown."""

    def call(self, state: State, function: External, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return an opened file, or what a parser makes of one."""
        last_two = ".".join(function.name.split(".")[-2:])
        first = arguments.positional[0] if arguments.positional else None
        if function.name in _OPENS:
            return _opened(state, first, arguments.get("mode", 1), node)
        if function.last_name in _INI and function.package in {"configparser", *_INI}:
            return Object(state.where(node), "file", state.heap.new())
        if last_two not in _PARSERS or first is None:
            return None
        file = _opened(state, first, None, node) if last_two in _BY_PATH and not isinstance(first, Object) else first
        reader = _reader(state, file) if file is not None else None
        return _PARSERS[last_two](reader) if reader is not None else None

    def call_method(self, state: State, owner: Value, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
        """Return the content of a file, or an option of an INI file."""
        path = owner.value if isinstance(owner, Asked) else owner
        if isinstance(path, Known):
            if name not in {"open", "read_text", "read_bytes"}:
                return None
            file = _opened(state, path, arguments.get("mode", 0) if name == "open" else None, node)
            return file if name == "open" or file is None else _content(state, file)
        if not isinstance(owner, Object) or owner.kind != "file":
            return None
        if state.get(owner, "file name") is None:
            return _of_ini(state, owner, name, arguments, node)
        if name == "readlines":
            content = _content(state, owner)
            text = content.value if isinstance(content, Known) else None
            lines = text.splitlines(keepends=True) if isinstance(text, str) else []
            return Items(owner.where, tuple(Known(owner.where, line) for line in lines)) if text else None
        return _content(state, owner) if name == "read" else None


def _opened(state: State, path: Value | None, mode: Value | None, node: ast.AST) -> Object | None:
    """Return a file of the source that is opened for reading; None if there is none, or if it is not read."""
    one = path.value if isinstance(path, Asked) else path
    writes = isinstance(mode, Known) and not {*"wax+"}.isdisjoint(str(mode.value))
    if not isinstance(one, Known) or not isinstance(one.value, str) or writes:
        return None
    if state.files.data(one.value) is None:
        return None
    return Object(state.where(node), "file", state.heap.new({"file name": Known(one.where, one.value)}))


def _content(state: State, file: Object) -> Value:
    """Return the text of a file; the file itself, which parsers accept too, if that is long."""
    name = state.get(file, "file name")
    text = state.files.data(str(name.value)) if isinstance(name, Known) else None
    return constants.constant(text, file.where, file)


def _reader(state: State, source: Value) -> Reader | None:
    """Return what reads a file, or a text that the source contains."""
    if isinstance(source, Known) and isinstance(source.value, str):
        return Reader(source.where.rpartition(":")[0], source.value, state.heap.identity, state.budget.spend)
    name = state.get(source, "file name") if isinstance(source, Object) and source.kind == "file" else None
    text = state.files.data(str(name.value)) if isinstance(name, Known) else None
    return (
        Reader(str(name.value), text, state.heap.identity, state.budget.spend)
        if text and isinstance(name, Known)
        else None
    )


def _of_ini(state: State, parser: Object, name: str, arguments: Arguments, node: ast.AST) -> Value | None:
    """Read an INI file into its parser, or return an option."""
    if name in {"read", "read_file", "read_string"}:
        first = arguments.get("filenames", 0)
        file = _opened(state, first, None, node) if name == "read" else first
        reader = _reader(state, file) if file is not None else None
        sections = reader.ini() if reader is not None else None
        for key, values in sections.items if isinstance(sections, Table) else ():
            state.put(parser, str(key), values)
        return state.unknown(node)
    if name not in {"get", "getboolean", *_CONVERSIONS}:
        return None
    section, option = arguments.get("section", 0), arguments.get("option", 1)
    table = state.get(parser, str(section.value)) if isinstance(section, Known) else None
    wanted = keys.key_of(option) if option is not None else None
    found = table.get(wanted.value) if isinstance(table, Table) and isinstance(wanted, Known) else None
    if not isinstance(found, Known):
        return arguments.named.get("fallback") if isinstance(table, Table) else None
    return _converted(found, name, state.unknown(node))


def _converted(value: Known, name: str, unknown: Value) -> Value:
    text = str(value.value)
    if "%(" in text or "${" in text:  # filled in from other options
        return unknown
    if name == "getboolean":
        known = text.lower() in _TRUE | _FALSE
        return Known(value.where, text.lower() in _TRUE) if known else unknown
    if name not in _CONVERSIONS:
        return value
    try:
        return constants.constant(int(text) if name == "getint" else float(text), value.where, unknown)
    except ValueError:
        return unknown
