"""Write what was recorded into a folder, one file per call, so that a script that dies leaves what it did before."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NOTES = "notes.jsonl"
"""What could not be recorded, one JSON text per line."""
TENSORS = "tensors.safetensors"
"""Name of the file in the folder of a call that has its tensors."""
MOST_TENSOR_BYTES = 2**30
"""Of all tensors of a recording."""
FINISHED = "finished"
"""The outcome of a call that was made to its end."""
NOT_FINISHED = "not finished"
"""The outcome of a call that goes on, or in which the process died."""


class Writer:
    """Writes the files of a recording, from the process that made it only: a fork of it writes nothing.

    Args:
        folder: An existing folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = os.getpid()
        self.call = 0
        """Number of the last call that has begun, from 1."""

    @property
    def is_inherited(self) -> bool:
        """Whether this process is a fork of the one that is recorded."""
        return os.getpid() != self._process

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Write a JSON file, whole or not at all.

        Args:
            name: Its path inside the folder, without the suffix.
            content: Plain values; any others are written as text.
        """
        if self.is_inherited:
            return
        path = self.folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(content, default=str), encoding="utf-8")
        part.replace(path)

    def note(self, error: Exception, what: str = "observing the call") -> None:
        """Note what could not be recorded, and why; nothing is raised."""
        if self.is_inherited:
            return
        try:
            with (self.folder / NOTES).open("a", encoding="utf-8") as file:
                file.write(json.dumps(f"{what}: {type(error).__name__}: {error}"[:500]) + "\n")
        except OSError:  # the disk is full, or the folder has gone: the script goes on
            pass

    @contextmanager
    def noting(self, what: str) -> Iterator[None]:
        """Note an error inside the block, which ends the block and nothing else."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the script must not notice it
            self.note(error, what)
