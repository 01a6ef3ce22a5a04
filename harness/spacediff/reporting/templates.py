"""The Jinja environments of `reports/`; what they compile is kept in the cache folder.

Compiling the templates takes half a second, more than the rest of a small page. Whoever can write into the cache folder
could run code by it, as by the environments that are built there.
"""

from __future__ import annotations

import hashlib
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from spacediff.errors import SpacediffError
from spacediff.files import cache_dir, make_folder, write_atomically

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
        bytecode_cache=_Kept(),
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
        bytecode_cache=_Kept(),
    )


@cache
def folder_name() -> str:
    """Name the folder of what this Python compiles with this version of Jinja and the options above."""
    made_by = f"{sys.implementation.cache_tag} {version('jinja2')} ".encode() + Path(__file__).read_bytes()
    return PREFIX + hashlib.sha256(made_by).hexdigest()[:16]


class _Kept(BytecodeCache):
    """Keeps compiled templates; Jinja ignores those of another source, and nothing is kept where that is impossible."""

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill a bucket with what is kept."""
        with suppress(OSError), self._file(bucket).open("rb") as file:
            bucket.load_bytecode(file)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        file = self._file(bucket)
        with suppress(SpacediffError):
            make_folder(file.parent)
            write_atomically(file, bucket.bytecode_to_string())

    @staticmethod
    def _file(bucket: Bucket) -> Path:
        return cache_dir() / folder_name() / bucket.key
