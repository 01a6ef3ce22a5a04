"""The scripts of a Markdown file: code blocks that continue each other are one script, others are candidates."""

from __future__ import annotations

import ast
import builtins
import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spacediff.errors import BlockNotChosen
from spacediff.reading.commands import Command, commands_in
from spacediff.reading.markdown import Block, blocks_of
from spacediff.reading.model import Note, Reading
from spacediff.reading.parsing import MOST_BYTES, Source, UnreadableError, parse
from spacediff.reading.repairs import Repaired

_MOST_SCRIPTS = 8
"""Scripts of one file that are read to see which calls a pipeline."""
_MOST_LISTED = 6
_HARMLESS = re.compile(r"[^()=]*|\s*(?:for|while|if|with|try|else)\b.*:\s*")
"""A line that is not Python and, after all others, changes nothing: one without a call and an assignment."""
_BUILTIN = frozenset(dir(builtins))


@dataclass(frozen=True, slots=True)
class PastedScript:
    """Python of a Markdown file.

    Attributes:
        source: Its code, at the lines that it has in the file.
        blocks: The numbers of its blocks among all code blocks of the file, from 1.
        left_out: The lines of its blocks that are not Python.
    """

    source: Source
    blocks: tuple[int, ...]
    left_out: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PastedFile:
    """A Markdown file.

    Attributes:
        name: Its name.
        blocks: Its code blocks.
        scripts: The scripts in them.
    """

    name: str
    blocks: tuple[Block, ...]
    scripts: tuple[PastedScript, ...]


def pasted_file(content: bytes, name: str) -> PastedFile:
    """Return the code of a Markdown file.

    Raises:
        UnreadableError: It is too large, or has no code block.
    """
    if len(content) > MOST_BYTES:
        raise UnreadableError(f"{name} is larger than {MOST_BYTES // 1024} KiB")
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    blocks = blocks_of(content.decode(encoding, "replace"))
    if not blocks:
        raise UnreadableError(f"{name} has no code block")
    groups = _grouped([(number, block) for number, block in enumerate(blocks, 1) if block.python])
    return PastedFile(name, tuple(blocks), tuple(_script(group, name) for group in groups))


_Numbered = tuple[int, Block]


def _grouped(blocks: Sequence[_Numbered]) -> list[list[_Numbered]]:
    """Put blocks that continue each other together: a later one uses names of an earlier one that it does not make."""
    groups: list[tuple[list[_Numbered], set[str]]] = []
    for numbered in blocks:
        tree = _parsed(numbered[1].python)
        free, bound = _names(tree)
        earlier = next((group for group in reversed(groups) if free & group[1]), None)
        if earlier is not None and not _stands_alone(tree):
            earlier[0].append(numbered)
            earlier[1].update(bound)
        else:
            groups.append(([numbered], bound))
    return [group for group, _ in groups]


def _parsed(python: Repaired | None) -> ast.Module:
    return ast.parse(python.code if python else "")


def _stands_alone(tree: ast.Module) -> bool:
    """Return whether code imports a pipeline or makes one, as a script of its own does."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    made = any(isinstance(node, ast.Attribute) and node.attr.startswith("from_") for node in ast.walk(tree))
    return bool(imports) and made


def _names(tree: ast.Module) -> tuple[set[str], set[str]]:
    """Return the names that code reads without binding them, and those that it binds."""
    read: set[str] = set()
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
    return read - bound - _BUILTIN, bound


def _script(group: Sequence[_Numbered], name: str) -> PastedScript:
    """Return blocks as one source in which every line has the number that it has in the file."""
    lines: list[str] = []
    left_out: list[int] = []
    for _, block in group:
        lines += [""] * (block.line - 1 - len(lines))
        if block.python:
            lines += block.python.code.split("\n")
            left_out += [block.line - 1 + row for row in block.python.left_out]
    return PastedScript(parse("\n".join(lines), name), tuple(number for number, _ in group), tuple(left_out))


def wanted_scripts(file: PastedFile, block: int, call: str) -> list[PastedScript]:
    """Return the scripts that may be the one to read: the one of a block or of a call if that is named.

    Raises:
        BlockNotChosen: The named block has no Python.
    """
    if block:
        found = [script for script in file.scripts if block in script.blocks]
        if not found:
            have = ", ".join(str(number) for script in file.scripts for number in script.blocks) or "none"
            raise BlockNotChosen(
                f"block {block} of {file.name} has no Python", hint=f"the blocks with Python are: {have}"
            )
        return found
    line = call.rpartition(":")[2]
    if line.isdecimal():
        at = [script for script in file.scripts if _has_line(file, script, int(line))]
        return at or list(file.scripts[:1])
    return list(file.scripts[:_MOST_SCRIPTS])


def _has_line(file: PastedFile, script: PastedScript, line: int) -> bool:
    blocks = [file.blocks[number - 1] for number in script.blocks]
    return any(block.line <= line < block.line + len(block.code.split("\n")) for block in blocks)


def only_reading(
    file: PastedFile, readings: Sequence[tuple[PastedScript, Reading]]
) -> tuple[PastedFile, PastedScript | None, Reading]:
    """Return the only script that calls a pipeline, with what was read of it; the same one twice counts once.

    Raises:
        BlockNotChosen: Several do.
    """
    different: dict[tuple[str, ...], tuple[PastedScript, Reading]] = {}
    for script, reading in readings:
        if reading.called_at:
            different.setdefault(tuple(filter(str.strip, script.source.lines)), (script, reading))
    calling = list(different.values())
    if len(calling) > 1:
        each = ", ".join(
            f"block {script.blocks[0]} ({reading.settings.value('model.pipeline')}, {reading.called_at})"
            for script, reading in calling[:_MOST_LISTED]
        )
        raise BlockNotChosen(f"{file.name} has several scripts that call a pipeline: {each}", hint="choose a block")
    if calling:
        return (file, *calling[0])
    kinds = [f"block {number} (line {block.line}): {_described(block)}" for number, block in enumerate(file.blocks, 1)]
    text = f"no code block of {file.name} calls a diffusers pipeline: {'; '.join(kinds[:_MOST_LISTED])}"
    if any(block.kind == "shell" for block in file.blocks):
        text += "; for a command that runs a script, give the folder in which it is run"
    return file, None, Reading(notes=[Note("not read", text, f"{file.name}:{file.blocks[0].line}")])


def only_command(file: PastedFile, block: int, folder: Path) -> Command:
    """Return the only command of a Markdown file that runs a script of a folder; the same one twice counts once.

    Raises:
        BlockNotChosen: There are several, or none.
    """
    found: dict[str, Command] = {}
    for number, each in enumerate(file.blocks, 1):
        if each.kind == "shell" and block in {0, number}:
            for command in commands_in(each.code, lambda row, start=each.line: f"{file.name}:{start - 1 + row}"):  # type: ignore[misc]
                if any((folder / path).is_file() for path in command.files):
                    found.setdefault(command.words, command)
    if len(found) == 1:
        return next(iter(found.values()))
    listed = "; ".join(f"{words} ({command.where})" for words, command in list(found.items())[:_MOST_LISTED])
    problem = (
        f"several commands that run a script of {folder}: {listed}"
        if found
        else f"no command that runs a script of {folder}"
    )
    raise BlockNotChosen(f"{file.name} has {problem}", hint="choose a block, or give the command itself")


def _described(block: Block) -> str:
    return {"python": "Python", "shell": "commands", "other": "no Python"}[block.kind]


def _is_prose_after(file: PastedFile, script: PastedScript) -> bool:
    """Return whether what was left out is text after the last statement, or the beginning of a block without a body."""
    statements = [
        one for one in script.source.tree.body if not isinstance(one, ast.Pass)
    ]  # `pass` replaces such a line
    end = max((one.end_lineno or 0 for one in statements), default=0)
    blocks = [file.blocks[number - 1] for number in script.blocks]
    texts = {block.line + row: line for block in blocks for row, line in enumerate(block.code.split("\n"))}
    return all(line > end and _HARMLESS.fullmatch(texts.get(line, "(")) for line in script.left_out)


def with_gaps(file: PastedFile, script: PastedScript | None, reading: Reading) -> Reading:
    """Return what was read of a script, with the lines of it that were not read."""
    if script is None or not script.left_out:
        return reading
    lines = ", ".join(str(line) for line in script.left_out[:_MOST_LISTED])
    more = f" and {len(script.left_out) - _MOST_LISTED} more" if len(script.left_out) > _MOST_LISTED else ""
    text = f"not Python, so not read: {file.name}, line {lines}{more}"
    note = Note("not read", text, f"{file.name}:{script.left_out[0]}")
    noted = replace(reading, notes=[*reading.notes, note])
    if reading.called_at and _is_prose_after(file, script):
        return noted
    return replace(noted, undecided=(*reading.undecided, text))
