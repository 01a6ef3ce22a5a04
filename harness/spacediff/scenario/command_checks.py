"""Checks of `[reference.command]` that no schema can express: placeholders, and the settings that it declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from spacediff.errors import Mistake, nearest_name
from spacediff.scenario.locations import Parts, Places
from spacediff.scenario.messages import mistake_at, shown
from spacediff.scenario.plain_tables import table_at
from spacediff.scenario.tables.settings import SettingsTables

IN_ARGUMENTS = ("{prompt}", "{seed}", "{out}", "{trace}")
"""Placeholders that an argument of a program may contain."""

_COMMAND: Parts = ("reference", "command")
_PLACEHOLDER = re.compile(r"(?:.*=)?(\{\w+\})", re.DOTALL)
"""An argument that is a placeholder, or ends in one as `--seed={seed}` does."""


def command_checks(data: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Check what the tables say about a program.

    Args:
        data: The tables from the TOML parser.
        lines: The lines of its keys.
    """
    command = table_at(data, *_COMMAND)
    run = command.get("run")
    if isinstance(run, list) and all(isinstance(each, str) for each in run) and run:
        yield from _arguments(run, lines)
    if "python" in command and "requirements" in command:
        expected = "one of the two: uv builds the interpreter of requirements"
        yield mistake_at(lines, (*_COMMAND, "requirements"), "python and requirements", expected)
    yield from _settings(table_at(command, "settings"), lines)


def _arguments(run: list[str], lines: Places) -> Iterator[Mistake]:
    first, *others = run
    if not first.strip() or "{" in first:
        expected = 'the name or path of a program, such as "python", without a placeholder'
        yield mistake_at(lines, (*_COMMAND, "run", 0), shown(first), expected)
    for index, argument in enumerate(others, 1):
        found = _PLACEHOLDER.fullmatch(argument)
        if found and found[1] not in IN_ARGUMENTS:
            expected = f"one of {', '.join(IN_ARGUMENTS)}, {{file:NAME}} for an input of the prompt, or a text"
            nearest = nearest_name(found[1], IN_ARGUMENTS)
            yield mistake_at(lines, (*_COMMAND, "run", index), shown(argument), expected, nearest)
    if not any("{out}" in each for each in others):
        expected = 'an argument with "{out}", the file that the program writes its clip to'
        yield mistake_at(lines, (*_COMMAND, "run"), "a command without it", expected)


def _settings(settings: Mapping[str, Any], lines: Places) -> Iterator[Mistake]:
    """Find settings under names that no run has, which would never be compared."""
    known = [name for name in SettingsTables.model_fields if name != "inputs"]
    for name in settings:
        if name not in known:
            expected = f"one of the tables of a baseline: {', '.join(known)}"
            yield mistake_at(lines, (*_COMMAND, "settings", name), shown(name), expected, nearest_name(name, known))
