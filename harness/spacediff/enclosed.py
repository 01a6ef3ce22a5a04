"""Enclosed files: the script that an audit is about and the patch that was found for it, beside the record.

A reader of the record acts on them, so a report's ZIP takes them along. They are redacted as the record is, and none is
kept where a prompt is private, since a script quotes its prompt.
"""

from __future__ import annotations

from pathlib import Path

from spacediff.file_names import read_regular, read_within
from spacediff.files import remove_file, write_atomically
from spacediff.privacy.redaction import redact_text

SCRIPT = "script.py"
PATCH = "script.patch"

_LARGEST = 256 * 1024
"""Bytes of a file that is kept or shown; what people send is far smaller."""


def enclose_script(folder: Path, script: Path | None) -> None:
    """Keep a script in an audit folder, or discard what an earlier audit kept there.

    Args:
        folder: The audit folder.
        script: The script; None for none. One that is no UTF-8 text, or too large, is not kept.
    """
    for name in (SCRIPT, PATCH):
        remove_file(folder / name)
    if script is None:
        return
    try:
        content = read_regular(script, _LARGEST)
        text = content.decode()
    except (OSError, UnicodeDecodeError):
        return
    if len(content) <= _LARGEST:
        write_atomically(folder / SCRIPT, redact_text(text))


def enclose_patch(folder: Path, patch: str) -> None:
    """Keep a patch of the script in an audit folder."""
    write_atomically(folder / PATCH, redact_text(patch))


def enclosed(folder: Path, name: str) -> str:
    """Return the text of an enclosed file; empty where there is none.

    Args:
        folder: The audit folder, which may come from anybody.
        name: `SCRIPT` or `PATCH`.
    """
    content = read_within(folder, name, _LARGEST)
    return "" if content is None else redact_text(content.decode(errors="replace"))
