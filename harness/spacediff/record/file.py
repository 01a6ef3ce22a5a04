"""Write and read `audit.json`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spacediff.errors import FileNotAccessible, NotAnAuditFolder, RecordError
from spacediff.file_names import read_regular
from spacediff.files import make_folder, write_atomically
from spacediff.privacy.redaction import redact
from spacediff.record.audit import SCHEMA_VERSION, AuditRecord
from spacediff.record.derived import with_derived
from spacediff.record.fact import Fact
from spacediff.record.fact_kinds import FactKind
from spacediff.record.migration import migrated

NAME = "audit.json"

_LARGEST = 128 * 2**20
"""Bytes of a record; one with 36,000 runs has about 100 MB."""
_AGAIN = "run the audit again, or read it with the spacediff version that wrote it"


def write_record(record: AuditRecord, folder: Path) -> None:
    """Write `audit.json` into an audit folder, redacted."""
    make_folder(folder)
    write_atomically(folder / NAME, record_text(record))


def record_text(record: AuditRecord) -> str:
    """Return a record as `audit.json` holds it, redacted."""
    data = redact(record.model_dump(mode="json"), field_names())
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


@cache
def field_names() -> frozenset[str]:
    """Return the names of all fields of a record, which are not untrusted text."""
    schema = record_schema()
    definitions = [schema, *schema["$defs"].values()]
    of_facts = (name for kind in FactKind for name in kind.values)
    return frozenset([*(name for each in definitions for name in each.get("properties", {})), *of_facts])


def redacted(record: AuditRecord) -> AuditRecord:
    """Return a record as it would be read back from a folder."""
    return AuditRecord.model_validate_json(record_text(record))


def redacted_fact(fact: Fact) -> Fact:
    """Return a fact as it would be read back from a folder."""
    return Fact.model_validate(redact(fact.model_dump(mode="json"), field_names()))


def record_schema() -> dict[str, Any]:
    """Return the JSON Schema of `audit.json`, for programs that read it."""
    schema = AuditRecord.model_json_schema(mode="serialization")
    title = f"spacediff audit record, version {SCHEMA_VERSION}"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}


def read_record(folder: Path) -> AuditRecord:
    """Read `audit.json` of an audit folder.

    Raises:
        SpacediffError: There is none, it is broken, or a newer spacediff wrote it.
    """
    try:
        return _record(folder / NAME)
    except OSError as error:
        raise NotAnAuditFolder(
            f"{folder} is not an audit folder: {_why_not(folder, error)}",
            hint="give the folder that `spacediff audit` named",
        ) from error


def _why_not(folder: Path, error: OSError) -> str:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"{NAME} cannot be read ({error.strerror})"
    if folder.is_dir():
        return f"it has no {NAME}"
    return "it is a file" if folder.exists() else "there is no such folder"


def read_record_file(path: Path) -> AuditRecord:
    """Read a record from a file; one of an older version becomes one of today's, with what follows from it.

    Raises:
        FileNotAccessible: The file cannot be read.
        RecordError: It holds no record, or a newer spacediff wrote it.
    """
    try:
        return _record(path)
    except OSError as error:
        raise FileNotAccessible(f"{path} cannot be read: {error.strerror or error}") from error


def _no_number(word: str) -> None:
    """Refuse what Python's reader takes for numbers beyond those of JSON."""
    raise ValueError(f"{word} is no number of JSON")


def _record(path: Path) -> AuditRecord:
    """Read a record from a file, with the system's own error if it cannot be opened."""
    content = read_regular(path, _LARGEST)
    if len(content) > _LARGEST:
        raise RecordError(f"{path} is larger than {_LARGEST >> 20} MiB, and no audit's record is")
    try:
        data = json.loads(content.decode(), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise RecordError(f"{path} is not UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path} is not JSON: {error}", hint=_AGAIN) from error
    if not isinstance(data, dict):
        raise RecordError(f"{path} is not an audit record: it holds no JSON object", hint=_AGAIN)
    version = data.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise RecordError(
            f"{path} was written by a newer spacediff: its schema version is {version}, and this one reads up to "
            f"{SCHEMA_VERSION}",
            hint="upgrade spacediff, or run the audit again",
        )
    try:
        record = AuditRecord.model_validate(migrated(data))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise RecordError(f"{path} is not an audit record: {key}: {first['msg']}", hint=_AGAIN) from error
    summed_up = {overview.prompt for overview in record.overviews}
    derived = version == SCHEMA_VERSION and "left_open" in data  # which what is derived got last
    complete = derived and all(prompt.name in summed_up for prompt in record.prompts)
    return record if complete else with_derived(record)
