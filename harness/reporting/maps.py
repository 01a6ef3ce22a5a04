"""Heat maps in the page: the measured maps of the audit folder, embedded as they are."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from harness.record import AuditRecord, ComparisonRecord

_PNG = b"\x89PNG\r\n\x1a\n"
_LARGEST = 4 * 2**20
"""Bytes; a map of an audit is a few hundred kilobytes, and more would not be one."""


def script_map(comparison: ComparisonRecord) -> dict[str, Any] | None:
    """Return what the page's script needs to know of a comparison's map."""
    found = comparison.map
    return {"key": found.file, "columns": found.columns, "rows": found.rows} if found else None


def embedded_maps(record: AuditRecord, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield file and base64 of each map; a record cannot make the report embed anything but its own pictures."""
    for name in dict.fromkeys(c.map.file for c in record.comparisons if c.map and c.reference == record.reference):
        inside = PurePosixPath(name)
        if inside.is_absolute() or ".." in inside.parts:
            continue
        try:
            with (folder / inside).open("rb") as file:
                content = file.read(_LARGEST + 1)
        except OSError:
            continue
        if content.startswith(_PNG) and len(content) <= _LARGEST:
            yield name, base64.b64encode(content).decode()
