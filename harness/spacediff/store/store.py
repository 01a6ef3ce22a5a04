"""The store: the finished runs of an audit folder, under a hash of everything that determines them.

A run is written into a draft folder, with the SHA-256 of every file, and moved to its place when it is complete. So a
killed audit leaves no incomplete result, and a run that is damaged later is generated again.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout
from pydantic import ValidationError

from spacediff.errors import FileNotAccessible, FolderInUse
from spacediff.files import make_folder, move, remove_file, remove_folder, sha256, write_atomically
from spacediff.privacy.redaction import redact
from spacediff.record import RunRecord
from spacediff.record.file import field_names

_RUN = re.compile(r"[0-9a-f]{16,64}")
_DRAFT = re.compile(rf"\.{_RUN.pattern}-.+")
_MANIFEST = "files.json"
_RECORD = "run.json"

SEMANTICS = "semantics"
"""Folder in an audit folder with the semantic measurements."""
DENOISED = "denoised"
"""Folder in an audit folder with the ends of denoisings, for runs that go on from there."""
INPUTS = "inputs"
"""Folder in an audit folder with small pictures of the inputs."""
PROGRAMS = "programs"
"""Folder in an audit folder with what programs have printed, and what they write while they run."""
_MEASUREMENT = re.compile(r"[0-9a-f]{24}\.json")
_LOG = re.compile(r"[\w-]+\.log")
_PREVIEW = re.compile(r"[0-9a-f]{24}\.png")
_END = re.compile(r"[0-9a-f]{32}((\.undecoded)?\.safetensors|\.embeddings)|[0-9a-f]{24}\.target|\.[0-9]+\.draft")


class Store:
    """Finished runs under `folder/runs`.

    Args:
        folder: The audit folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._runs = folder / "runs"

    @classmethod
    def of_draft(cls, folder: Path) -> Self:
        """Return the store that a draft folder is in."""
        return cls(folder.parent.parent)

    def get(self, key: str) -> RunRecord | None:
        """Return a finished run; None if there is none, or if it is damaged."""
        folder = self.folder_of(key)
        try:
            files: dict[str, str] = json.loads((folder / _MANIFEST).read_text("utf-8"))
            complete = _RECORD in files and all(Path(name).name == name for name in files)
            if not complete or any(sha256(folder / name) != digest for name, digest in files.items()):
                return None
            return RunRecord.model_validate_json((folder / _RECORD).read_text("utf-8"))
        except (OSError, ValueError, ValidationError, AttributeError):
            return None

    def has(self, key: str) -> bool:
        """Whether there is a finished run, damaged or not; `get` says which, and takes longer."""
        return (self.folder_of(key) / _MANIFEST).is_file()

    @contextmanager
    def writing(self, key: str) -> Iterator[Path]:
        """Yield a draft folder for a run's files; it becomes the run's folder when the block ends without an error."""
        draft = self.new_draft(key)
        try:
            yield draft
            self._keep(key, draft)
        finally:
            remove_folder(draft)

    def new_draft(self, key: str) -> Path:
        """Return a new draft folder."""
        make_folder(self._runs)
        return Path(tempfile.mkdtemp(prefix=f".{key}-", dir=self._runs))

    def adopt(self, key: str, draft: Path) -> None:
        """Take over a run that another store has sealed, and the ends of denoisings that came with it.

        Args:
            key: The run.
            draft: A draft folder with both, at the places that they have in an audit folder.
        """
        self._keep(key, Store(draft).folder_of(key))
        for path in (draft / DENOISED).glob("*"):
            if _END.fullmatch(path.name):
                make_folder(self.folder / DENOISED)
                move(path, self.folder / DENOISED / path.name)

    def _keep(self, key: str, draft: Path) -> None:
        if self.get(key) is None:  # otherwise another process has finished it first
            self.discard(key)
            move(draft, self.folder_of(key))

    def take(self, other: Store, key: str) -> bool:
        """Copy a finished run from another audit folder, if it has it whole; only plain files of the run are read.

        Args:
            other: The runs of the other folder.
            key: The run's identity.

        Returns:
            Whether this folder has it now.
        """
        found, there = other.get(key), other.folder_of(key)
        if found is None:
            return False
        names = {path.name for path in there.iterdir() if stat.S_ISREG(path.lstat().st_mode)}
        own = {f"runs/{key}/{name}" for name in names}
        if there.is_symlink() or _RECORD not in names or not _files_of(found) <= own:
            return False
        with self.writing(key) as draft:
            for name in names:
                shutil.copyfile(there / name, draft / name)
        return self.get(key) is not None

    def seal(self, draft: Path, record: RunRecord) -> None:
        """Write the record and the manifest into a draft folder, when all other files are written."""
        write_atomically(draft / _RECORD, json.dumps(redact(record.model_dump(mode="json"), field_names()), indent=1))
        files = {path.name: sha256(path) for path in sorted(draft.iterdir())}
        write_atomically(draft / _MANIFEST, json.dumps(files, indent=1))

    @property
    def is_empty(self) -> bool:
        """Whether there is no finished run."""
        return not any(_RUN.fullmatch(path.name) for path in self._runs.glob("*"))

    def folder_of(self, key: str) -> Path:
        """Return the folder of a finished run."""
        return self._runs / key

    def discard(self, key: str) -> None:
        """Remove a run."""
        remove_folder(self.folder_of(key))

    def discard_drafts(self) -> None:
        """Remove the draft folders of killed audits."""
        self._remove(_DRAFT)

    def discard_all(self) -> None:
        """Remove all runs, what belongs to them, the record and the report; other files stay."""
        self._remove(_DRAFT)
        self._remove(_RUN)
        for name, named in ((SEMANTICS, _MEASUREMENT), (DENOISED, _END), (INPUTS, _PREVIEW), (PROGRAMS, _LOG)):
            for path in (self.folder / name).glob("*"):
                if named.fullmatch(path.name):
                    remove_file(path)
        for name in ("audit.json", "report.html"):
            remove_file(self.folder / name)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder against other audits.

        Raises:
            FolderInUse: Another audit is writing into it.
            FileNotAccessible: Something in it is a link, or a file is where a run's folder belongs.
        """
        try:
            make_folder(self.folder)
            self._refuse_links()
            with FileLock(self.folder / ".lock", timeout=0):
                yield
        except Timeout as error:
            raise FolderInUse(
                f"another audit is writing into {self.folder}", hint="wait for it, or choose another folder"
            ) from error

    def _refuse_links(self) -> None:
        """Refuse to write into a folder with links, which may lead anywhere; drafts, which are removed, are no matter.

        The folder itself, or one around it, may be a link: somebody chose it.
        """
        for place, folders, files in os.walk(self.folder):
            at = Path(place)
            for name in (*folders, *files):
                if (at / name).is_symlink():
                    raise FileNotAccessible(
                        f"{at / name} is a link, and an audit writes through no link",
                        hint="remove the link, or choose another folder for the audit",
                    )
            folders[:] = [name for name in folders if not name.startswith(".") and name != PROGRAMS]
        for path in self._runs.glob("*"):
            if _RUN.fullmatch(path.name) and not path.is_dir():
                raise FileNotAccessible(
                    f"{path} is a file, where the folder of a run belongs",
                    hint="remove it, or choose another folder for the audit",
                )

    def _remove(self, named: re.Pattern[str]) -> None:
        for path in self._runs.glob("*"):
            if named.fullmatch(path.name) and path.is_dir():
                remove_folder(path)


def _files_of(run: RunRecord) -> set[str]:
    """Return the files that the record of a run names, relative to the audit folder."""
    clip = run.clip
    named = [] if clip is None else [clip.lossless, clip.preview, clip.original, clip.delivered]
    named += [clip.small.file] if clip is not None and clip.small is not None else []
    return {each for each in [*named, run.trace.latents if run.trace else None] if each}
