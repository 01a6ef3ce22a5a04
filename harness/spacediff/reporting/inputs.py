"""Small pictures as the page embeds them: the inputs of prompts, which a text names too, and strips of groups."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from spacediff.file_names import read_within
from spacediff.record import AuditRecord, InputRecord
from spacediff.reporting.samples import strips_of

_PNG = b"\x89PNG\r\n\x1a\n"
_LARGEST = 2 * 2**20
"""Bytes; a preview has at most 480x480 pixels and a strip at most sixteen clips, and more would not be one."""
_DIGITS = 12
"""Of a digest, what a reader compares."""


def embedded_inputs(record: AuditRecord, folder: Path) -> Mapping[str, str]:
    """Return the previews of all inputs and the strips of all groups as base64, by their path in the audit folder."""
    names = {given.preview for prompt in record.prompts for given in prompt.inputs if given.preview}
    names |= strips_of(record)
    read = {name: _read(folder, name) for name in sorted(names)}
    return {name: base64.b64encode(content).decode() for name, content in read.items() if content}


def _read(folder: Path, name: str) -> bytes:
    """Read a preview; a record cannot make the page embed anything but PNGs of its own folder."""
    content = read_within(folder, name, _LARGEST) or b""
    return content if content.startswith(_PNG) else b""


def size_of(given: InputRecord) -> str:
    """Say what an input is: `832x480, SHA-256 ab12…`."""
    what = ["video"] if given.video else []
    what += [f"{given.width}x{given.height}"] if given.width else []
    return ", ".join([*what, f"SHA-256 {given.digest[:_DIGITS]}…"])
