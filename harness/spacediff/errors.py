"""What can go wrong, as data.

Every expected failure is a `SpacediffError`: it carries what the reader needs (where, what was found, what was
expected, what to do) and the exit code; the command line turns it into one paragraph, never a traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from spacediff.privacy.redaction import redact_text


class Exit(IntEnum):
    """Exit codes of the command."""

    GATE_HOLDS = 0
    GATE_FAILS = 1
    BAD_INPUT = 2
    NOT_MEASURED = 3
    INTERNAL = 70
    INTERRUPTED = 130


class SpacediffError(Exception):
    """An expected failure with a hint what to do about it.

    Args:
        message: What is wrong, in one or two sentences.
        hint: What to do about it; empty when there is nothing to say.
    """

    exit_code: Exit = Exit.BAD_INPUT

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotMeasuredError(SpacediffError):
    """Something that was asked for cannot be had here; carries the reason for the record."""

    exit_code = Exit.NOT_MEASURED


@dataclass(frozen=True)
class Mistake:
    """One mistake in a scenario file.

    Attributes:
        line: 1-based line in the file; 0 when no line can be named.
        key: Dotted key, such as `variants.dpm.scheduler.class`.
        found: What stands there, shortened.
        expected: What could stand there.
        nearest: The nearest known name, or empty.
    """

    line: int
    key: str
    found: str
    expected: str
    nearest: str = ""

    def __str__(self) -> str:
        nearest = f" (did you mean {self.nearest!r}?)" if self.nearest else ""
        where = f"line {self.line}: " if self.line else ""
        key = f"{self.key}: " if self.key else ""
        return f"{where}{key}found {self.found}; expected {self.expected}{nearest}"


class ScenarioError(SpacediffError):
    """A scenario file that cannot be used; lists every mistake found in it."""

    def __init__(self, path: Path, mistakes: Iterable[Mistake]) -> None:
        self.path = path
        self.mistakes = tuple(sorted(mistakes, key=lambda m: (m.line, m.key)))
        places = "\n".join(f"  {path}:{m.line or 1}: {str(m).removeprefix(f'line {m.line}: ')}" for m in self.mistakes)
        count = "1 mistake" if len(self.mistakes) == 1 else f"{len(self.mistakes)} mistakes"
        super().__init__(
            f"{path.name}: {count}\n{places}", hint="`spacediff schema` prints the keys a scenario may hold"
        )


def failure(error: Exception) -> str:
    """Return a library's error in one line: its type and the first line of its message, at most 300 characters.

    It is redacted before it is cut: a part of a secret would not be known for one.
    """
    lines = [line.strip() for line in redact_text(str(error)).splitlines() if line.strip()]
    return f"{type(error).__name__}: {(lines or ['no message'])[0]}"[:300]


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return the known name that a misspelt one most resembles, or an empty string."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)), "")
