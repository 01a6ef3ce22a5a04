"""The store: finished runs of an audit folder, by the hash of what determines them.

A run is written into a folder of its own beside its place and moved there when it is whole, with the SHA-256 of every
file; so a killed audit leaves nothing that could be taken for a result, and what was damaged later is made again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from harness.files import write_atomically
from harness.record import RunRecord
from harness.redaction import redact

_MANIFEST = "files.json"
_RECORD = "run.json"


class Store:
    """Finished runs under `folder/runs`.

    Args:
        folder: The audit folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._runs = folder / "runs"

    def get(self, key: str) -> RunRecord | None:
        """Return a finished run, or None when there is none or it is damaged."""
        place = self.place(key)
        try:
            files: dict[str, str] = json.loads((place / _MANIFEST).read_text("utf-8"))
            whole = _RECORD in files and all(Path(name).name == name for name in files)
            if not whole or any(_sha256(place / name) != digest for name, digest in files.items()):
                return None
            return RunRecord.model_validate_json((place / _RECORD).read_text("utf-8"))
        except (OSError, ValueError, ValidationError, AttributeError):
            return None

    @contextmanager
    def writing(self, key: str) -> Iterator[Path]:
        """Give a folder to write a run's files into; it takes its place when the block ends without an error."""
        self._runs.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=self._runs))
        try:
            yield draft
            place = self.place(key)
            if place.exists():
                shutil.rmtree(place)
            draft.rename(place)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def seal(self, draft: Path, record: RunRecord) -> None:
        """Write the record and the manifest into a run's folder: the last thing before its block ends."""
        write_atomically(draft / _RECORD, json.dumps(redact(record.model_dump(mode="json")), indent=1))
        files = {path.name: _sha256(path) for path in sorted(draft.iterdir())}
        write_atomically(draft / _MANIFEST, json.dumps(files, indent=1))

    def place(self, key: str) -> Path:
        """Return where a run's files lie once it is finished."""
        return self._runs / key

    def forget_drafts(self) -> None:
        """Remove what killed audits left behind."""
        for draft in self._runs.glob(".*"):
            shutil.rmtree(draft, ignore_errors=True)

    def forget_all(self) -> None:
        """Remove all runs."""
        shutil.rmtree(self._runs, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
