"""Which kind of source a text names: a file or folder here, or a Space."""

from __future__ import annotations

from pathlib import Path

from harness.reading import read_source
from harness.reading.hub import is_space, read_space
from harness.reading.model import Reading


def read_any(source: str) -> Reading:
    """Return what a script, a folder or a Space says; what lies here comes before what has the same name there."""
    path = Path(source)
    if not path.exists() and is_space(source) and not source.endswith(".py"):
        return read_space(source)
    return read_source(path)
