"""Configuration files as values: JSON, YAML, TOML and INI, each value with its file and line.

The key insight is that a configuration file is data of the source, and may be hostile like the source. It is parsed to
plain data, or to YAML's nodes, and taken over with bounds on depth and number: an alias counts wherever it is used, and
no tag creates an object.
"""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

from spacediff.reading.values import Items, Known, Table, Unknown, Value, constants

MOST_YAML_BYTES = 64 * 1024
"""Larger YAML is not read: its parser needs a second for this."""

_MOST_VALUES = 5000
_DEEPEST = 20
_MOST_SEARCHED = 20_000
"""Characters in which the next key is looked for; beyond them, the line of the key before it is shown."""
_FLOAT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")
_SCALARS = ("null", "bool", "int", "float", "str")
_TAG = "tag:yaml.org,2002:"


class _TooMuchError(Exception):
    """A file has too many values, or they are nested too deeply."""


class Reader:
    """Takes over the data of one file.

    Args:
        name: Its name.
        text: Its content.
        identity: Returns a new identity for a list or dict.
        spend: Spends steps of the interpreter.
    """

    def __init__(self, name: str, text: str, identity: Callable[[], int], spend: Callable[[int], None]) -> None:
        self._name = name
        self._text = text
        self._identity = identity
        self._spend = spend
        self._left = _MOST_VALUES
        self._place = 0

    def json(self) -> Value | None:
        """Return the values of a JSON file; None if it is none, or too large."""
        return self._parsed(lambda: json.loads(self._text))

    def toml(self) -> Value | None:
        """Return the values of a TOML file; None if it is none, or too large."""
        return self._parsed(lambda: tomllib.loads(self._text))

    def ini(self) -> Value | None:
        """Return the sections of an INI file; None if it is none, or too large."""

        def sections() -> dict[str, dict[str, str]]:
            parser = configparser.RawConfigParser(strict=False)
            parser.read_string(self._text)
            return {section: dict(parser[section]) for section in parser.sections()}

        return self._parsed(sections)

    def yaml(self, *, as_omegaconf: bool = False) -> Value | None:
        """Return the values of a YAML file; None if it is none, or too large.

        Args:
            as_omegaconf: Whether `1e-4` is a number and `${name}` is filled in, as OmegaConf reads it.
        """
        if len(self._text) > MOST_YAML_BYTES or _nesting(self._text) > _DEEPEST:
            return None
        self._spend(len(self._text))
        import yaml  # here, since few sources need it

        try:
            node = yaml.compose(self._text, Loader=yaml.SafeLoader)
            return self._of_node(node, 0, as_omegaconf=as_omegaconf) if node is not None else None
        except (yaml.YAMLError, ValueError, RecursionError, _TooMuchError):
            return None

    def _parsed(self, parse: Callable[[], Any]) -> Value | None:
        try:
            return self._of_data(parse(), 0)
        except (ValueError, RecursionError, configparser.Error, _TooMuchError):
            return None

    def _count(self, depth: int) -> None:
        self._spend(1)
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            raise _TooMuchError

    def _where(self) -> str:
        return f"{self._name}:{self._text.count(chr(10), 0, self._place) + 1}"

    def _of_data(self, data: Any, depth: int) -> Value:
        self._count(depth)
        where = self._where()
        if isinstance(data, dict):
            pairs = [(str(key), self._of_item(str(key), value, depth)) for key, value in data.items()]
            return Table(where, tuple(pairs), identity=self._identity())
        if isinstance(data, list):
            return Items(where, tuple(self._of_data(item, depth + 1) for item in data), identity=self._identity())
        return constants.constant(data, where, Unknown(where, str(data)[:100]))

    def _of_item(self, key: str, value: Any, depth: int) -> Value:
        """Return the value of a key, whose place in the text is after that of the key before it."""
        pattern = re.compile(rf"{re.escape(json.dumps(key)[1:-1])}['\"\]]*\s*[:=\]]")
        found = pattern.search(self._text, self._place, self._place + _MOST_SEARCHED)
        self._place = found.start() if found else self._place
        return self._of_data(value, depth + 1)

    def _of_node(self, node: Any, depth: int, *, as_omegaconf: bool) -> Value:
        self._count(depth)
        where = f"{self._name}:{node.start_mark.line + 1}"
        if node.tag not in {f"{_TAG}map", f"{_TAG}seq"} and node.id != "scalar":
            return Unknown(where, str(node.tag)[:100])
        if node.id == "mapping":
            found = {}
            for key, value in _pairs(node):
                name = self._scalar(key, where, as_omegaconf=as_omegaconf)
                if isinstance(name, Known) and name.value not in found:
                    found[name.value] = self._of_node(value, depth + 1, as_omegaconf=as_omegaconf)
            return Table(where, tuple(found.items()), identity=self._identity())
        if node.id == "sequence":
            items = [self._of_node(one, depth + 1, as_omegaconf=as_omegaconf) for one in node.value]
            return Items(where, tuple(items), identity=self._identity())
        return self._scalar(node, where, as_omegaconf=as_omegaconf)

    def _scalar(self, node: Any, where: str, *, as_omegaconf: bool) -> Value:
        from yaml.constructor import SafeConstructor

        kind = node.tag.removeprefix(_TAG)
        if node.id != "scalar" or kind not in _SCALARS:
            return Unknown(where, str(node.value)[:100])
        if as_omegaconf and kind == "str" and "${" in node.value:
            return Unknown(where, node.value[:100])
        if as_omegaconf and kind == "str" and _FLOAT.fullmatch(node.value):
            return Known(where, float(node.value))
        made = getattr(SafeConstructor(), f"construct_yaml_{kind}")(node)
        return constants.constant(made, where, Unknown(where, node.value[:100]))


def _nesting(text: str) -> int:
    """Return how deeply brackets are nested, for which YAML's parser needs time that grows faster than their number."""
    deepest = depth = 0
    for sign in text:
        if sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in "]}":
            depth -= 1
    return deepest


def _pairs(node: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """Yield the pairs of a mapping, then those that it merges with `<<`; the first of several for a key counts."""
    merged = []
    for key, value in reversed(node.value):  # the last of several in one mapping counts
        if key.tag == f"{_TAG}merge":
            merged.append(value)
        else:
            yield key, value
    if depth > _DEEPEST:
        raise _TooMuchError
    for value in merged:
        for one in value.value if value.id == "sequence" else [value]:
            if one.id == "mapping":
                yield from _pairs(one, depth + 1)
