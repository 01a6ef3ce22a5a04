"""Enclosed files: the script that an audit is about and the patch that was found for it, beside the record.

A reader of the record acts on them, so a report's ZIP takes them along. They are redacted as the record is, and none is
kept where a prompt is private, since a script quotes its prompt.
"""

from __future__ import annotations

from pathlib import Path

from spacediff.file_names import read_regular, read_within
from spacediff.files import remove_file, write_atomically
from spacediff.privacy.redaction import redact_text

SCRIPT = "enclosed-script.py"
PATCH = "enclosed-script.patch"
"""Names that no file of the user has, whose folder may be the audit folder."""

_LARGEST = 256 * 1024
"""Bytes of a file that is kept or shown; what people send is far smaller."""


def enclose_script(folder: Path, script: Path) -> None:
    """Keep a script in an audit folder. A patch of another script is discarded.

    Args:
        folder: The audit folder.
        script: The script. Of one that is no UTF-8 text, or too large, nothing is kept.
    """
    text = _text_of(script)
    if text and text == enclosed(folder, SCRIPT):
        return
    discard_enclosed(folder)
    if text:
        write_atomically(folder / SCRIPT, text)


def discard_enclosed(folder: Path) -> None:
    """Discard the script and the patch that an earlier audit kept in a folder."""
    for name in (SCRIPT, PATCH):
        remove_file(folder / name)


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


def _text_of(script: Path) -> str:
    """Return what is kept of a script; empty where nothing is."""
    try:
        content = read_regular(script, _LARGEST)
        text = content.decode()
    except (OSError, UnicodeDecodeError):
        return ""
    return redact_text(text) if len(content) <= _LARGEST else ""
