"""The Jinja environments of `reports/`; what they compile is kept in the cache folder.

Compiling the templates takes half a second, more than the rest of a small page. What is kept is code, so it is taken
only from a folder that its user alone can write to, and that the working directory does not choose.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from spacediff.errors import SpacediffError
from spacediff.files import cache_dir, write_atomically

PREFIX = "templates-"
"""Begins the names of folders with compiled templates."""


def escaping_environment(folder: Path) -> Environment:
    """Return an environment without filters for the templates of a folder, which escape every text."""
    templates = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        bytecode_cache=_Kept("escaping"),
    )
    templates.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # by the i18n extension
    return templates


def plain_environment(folder: Path) -> Environment:
    """Return an environment without filters for the templates of a folder that are no HTML, which escape nothing."""
    return Environment(  # noqa: S701 - what is drawn escapes its values
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_Kept("plain"),
    )


@cache
def folder_name() -> str:
    """Name the folder of what this Python compiles with this version of Jinja and the options above."""
    made_by = f"{sys.implementation.cache_tag} {version('jinja2')} ".encode() + Path(__file__).read_bytes()
    return PREFIX + hashlib.sha256(made_by).hexdigest()[:16]


class _Kept(BytecodeCache):
    """Keeps compiled templates, each with the checksums of its source and of itself.

    Args:
        kind: Names the environment, since another one compiles the same source otherwise.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill a bucket with what is kept of the same source; what is damaged is compiled again."""
        file = self._file(bucket)
        if not _is_own(file.parent):
            return
        with suppress(OSError):
            head, _, code = file.read_bytes().partition(b"\n")
            if head == _head(bucket, code):
                bucket.code = marshal.loads(code)  # noqa: S302 - written by this program, as its checksum says

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled; nothing where that is impossible."""
        file, code = self._file(bucket), marshal.dumps(bucket.code)
        with suppress(SpacediffError, OSError):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_own(file.parent):
                write_atomically(file, _head(bucket, code) + b"\n" + code)

    def _file(self, bucket: Bucket) -> Path:
        return cache_dir() / folder_name() / f"{bucket.key}-{self._kind}"


def _head(bucket: Bucket, code: bytes) -> bytes:
    return f"{bucket.checksum} {hashlib.sha256(code).hexdigest()}".encode()


def _is_relative() -> bool:
    """Whether the working directory chooses the cache folder, such as a folder that somebody sent."""
    chosen = os.environ.get("SPACEDIFF_CACHE", "")
    return bool(chosen) and not Path(chosen).expanduser().is_absolute()


def _is_own(folder: Path) -> bool:
    """Whether a folder is the user's, so that nobody else puts code into it."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    own = getattr(os, "getuid", lambda: found.st_uid)()
    others = 0 if os.name == "nt" else found.st_mode & 0o022
    return found.st_uid == own and not others and not _is_relative()
