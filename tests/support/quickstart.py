"""The quickstart scenario as the real command audited it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spacediff.record import AuditRecord


@dataclass(frozen=True)
class Finished:
    """What a command did.

    Attributes:
        folder: The audit folder.
        record: The audit's record.
        code: Exit code.
        stdout: What it printed.
        stderr: What it said meanwhile.
    """

    folder: Path
    record: AuditRecord
    code: int
    stdout: str
    stderr: str
