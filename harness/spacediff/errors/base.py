"""What all errors of spacediff have in common: a message, a hint, a stable code, and an exit code of the command."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class Exit(IntEnum):
    """Exit codes of the command."""

    GATE_PASSED = 0
    GATE_FAILED = 1
    BAD_INPUT = 2
    NOT_MEASURED = 3
    INTERNAL = 70
    INTERRUPTED = 130


class SpacediffError(Exception):
    """An expected failure: base of all errors that spacediff raises on purpose.

    Args:
        message: What happened, in one or two sentences.
        hint: What to do about it; may be empty.

    Attributes:
        code: Stable name of the failure, in kebab case.
        exit_code: What the command exits with.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[Exit] = Exit.BAD_INPUT

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotMeasuredError(SpacediffError):
    """Something that was asked for is unavailable here; the record keeps the reason and the code."""

    code = "not-measured"
    exit_code = Exit.NOT_MEASURED
