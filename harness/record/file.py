"""Write and read `audit.json`."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from harness.errors import SpacediffError
from harness.files import write_atomically
from harness.record.audit import SCHEMA_VERSION, AuditRecord
from harness.redaction import redact


def write_record(record: AuditRecord, folder: Path) -> None:
    """Write `audit.json` into an audit folder, redacted."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(redact(record.model_dump(mode="json")), indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(folder / "audit.json", text + "\n")


def read_record(folder: Path) -> AuditRecord:
    """Read `audit.json` of an audit folder.

    Raises:
        SpacediffError: There is none, it is broken, or a newer spacediff wrote it.
    """
    path = folder / "audit.json"
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise SpacediffError(
            f"{folder} is not an audit folder: audit.json cannot be read ({error.strerror})",
            hint="give the folder that `spacediff audit` named",
        ) from error
    try:
        return AuditRecord.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise SpacediffError(
            f"{path} cannot be read by schema version {SCHEMA_VERSION}: {key}: {first['msg']}",
            hint="run the audit again, or use the spacediff version that wrote it",
        ) from error
