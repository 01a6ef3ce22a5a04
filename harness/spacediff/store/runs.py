"""The store: finished runs of an audit folder, by the hash of what determines them.

A run is written into a folder of its own beside its place and moved there when it is whole, with the SHA-256 of every
file; so a killed audit leaves nothing that could be taken for a result, and what was damaged later is made again.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from spacediff.errors import FolderInUse
from spacediff.files import sha256, write_atomically
from spacediff.privacy.redaction import redact
from spacediff.record import RunRecord
from spacediff.record.file import field_names

_RUN = re.compile(r"[0-9a-f]{16,64}")
_DRAFT = re.compile(rf"\.{_RUN.pattern}-.+")
_MANIFEST = "files.json"
_RECORD = "run.json"

SEMANTICS = "semantics"
"""Folder of what was measured of clips' contents, inside an audit folder."""
_KEPT = re.compile(r"[0-9a-f]{24}\.json")


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
            if not whole or any(sha256(place / name) != digest for name, digest in files.items()):
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
            if self.get(key) is None:  # else another process was quicker
                shutil.rmtree(self.place(key), ignore_errors=True)
                draft.rename(self.place(key))
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def seal(self, draft: Path, record: RunRecord) -> None:
        """Write the record and the manifest into a run's folder: the last thing before its block ends."""
        write_atomically(draft / _RECORD, json.dumps(redact(record.model_dump(mode="json"), field_names()), indent=1))
        files = {path.name: sha256(path) for path in sorted(draft.iterdir())}
        write_atomically(draft / _MANIFEST, json.dumps(files, indent=1))

    def place(self, key: str) -> Path:
        """Return where a run's files lie once it is finished."""
        return self._runs / key

    def forget(self, key: str) -> None:
        """Remove a run."""
        shutil.rmtree(self.place(key), ignore_errors=True)

    def forget_drafts(self) -> None:
        """Remove what killed audits left behind."""
        self._remove(_DRAFT)

    def forget_all(self) -> None:
        """Remove all runs, what was seen in them, and the record that speaks of them; foreign files stay."""
        self._remove(_DRAFT)
        self._remove(_RUN)
        for path in (self.folder / SEMANTICS).glob("*"):
            if _KEPT.fullmatch(path.name):
                path.unlink(missing_ok=True)
        for name in ("audit.json", "report.html"):
            (self.folder / name).unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other audits out of the folder.

        Raises:
            FolderInUse: Another audit is writing into it, or it cannot be written to.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / ".lock", timeout=0):
                yield
        except Timeout as error:
            raise FolderInUse(
                f"another audit is writing into {self.folder}", hint="wait for it, or give another folder with --out"
            ) from error

    def _remove(self, named: re.Pattern[str]) -> None:
        for path in self._runs.glob("*"):
            if named.fullmatch(path.name) and path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
