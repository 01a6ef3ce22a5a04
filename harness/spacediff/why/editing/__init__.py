"""Edits of a Python file that leave everything else as it was, byte for byte."""

from spacediff.why.editing.operations import (
    AddedArgument,
    AddedLine,
    Operation,
    RemovedArgument,
    RemovedEntry,
    RemovedStatement,
    Replacement,
)
from spacediff.why.editing.patch_text import unified_diff
from spacediff.why.editing.script import NotEditableError, Script

__all__ = [
    "AddedArgument",
    "AddedLine",
    "NotEditableError",
    "Operation",
    "RemovedArgument",
    "RemovedEntry",
    "RemovedStatement",
    "Replacement",
    "Script",
    "unified_diff",
]
