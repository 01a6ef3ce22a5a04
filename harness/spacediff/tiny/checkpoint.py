"""The tiny checkpoints as folders in the cache, made on first use and proven whole on every use.

There are two: the trained one, which follows its prompt, and one with drawn weights, which is made from code alone. A
folder is made beside its place and moved there in one step, together with its fingerprint. So a reader sees all of it
or nothing, two processes that make it at once end with one of two equal folders, and a folder that was damaged
afterwards no longer matches its fingerprint and is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacediff.errors import CheckpointUnavailable
from spacediff.files import cache_dir
from spacediff.tiny.trained import WEIGHTS

_FINGERPRINT = "fingerprint"
_DRAFT = ".draft-"
_ABANDONED_AFTER = 3600.0  # seconds; a draft takes a few, so what is older was left by a killed process

_RANDOM_CARD = """---
library_name: diffusers
pipeline_tag: text-to-video
tags: [untrained, testing]
---
# tiny-cogvideox-random

A CogVideoX pipeline with **random weights**: it draws moving blobs of colour, whatever it is asked for. It exists so
that spacediff can be tested in seconds from code alone. The classes, the scheduler settings and the text length are
those of `zai-org/CogVideoX-5b`; nothing of its weights is in here.

Made by `spacediff.tiny.checkpoint`. Safe to delete.
"""


@dataclass(frozen=True)
class TinyCheckpoint:
    """One of the tiny checkpoints.

    Attributes:
        name: Of its folder.
        recipe: Names the bytes that are made.
    """

    name: str
    recipe: str

    @property
    def id(self) -> str:
        """What a scenario calls it."""
        return f"builtin:{self.name}"

    @property
    def stamp(self) -> str:
        """What tells that its bytes changed: the recipe and, for a trained one, its weights."""
        return self.recipe if self is RANDOM else f"{self.recipe}-{fingerprint(WEIGHTS)[:12]}"

    @property
    def card(self) -> str:
        """Its README; that of the trained one lies beside the weights."""
        return _RANDOM_CARD if self is RANDOM else (WEIGHTS / "README.md").read_text(encoding="utf-8")

    def build(self) -> Any:
        """Return its pipeline in float32."""
        if self is RANDOM:
            from spacediff.tiny.random_weights import build_pipeline

            return build_pipeline()
        from spacediff.tiny.trained import build_trained

        return build_trained()


TRAINED = TinyCheckpoint("tiny-cogvideox", "tiny-cogvideox-4")
RANDOM = TinyCheckpoint("tiny-cogvideox-random", "tiny-cogvideox-random-3")
BUILTIN = {each.id: each for each in (TRAINED, RANDOM)}
"""By what a scenario calls them."""


def ensure_checkpoint(which: TinyCheckpoint = TRAINED) -> Path:
    """Return the folder of a tiny CogVideoX checkpoint, for `DiffusionPipeline.from_pretrained`; make it if needed.

    Raises:
        CheckpointUnavailable: The cache cannot be written to.
    """
    place = cache_dir() / _folder_name(which)
    if not _is_whole(place, which):
        try:
            _make(place, which)
        except OSError as error:
            raise CheckpointUnavailable(
                f"the tiny checkpoint cannot be written to the cache: {error.strerror or error}",
                hint="set SPACEDIFF_CACHE to a folder that can be written to and has 20 MB left",
            ) from error
    return place / which.name


def fingerprint(folder: Path) -> str:
    """Return the SHA-256, in hex, of all files below a folder: their names and their bytes."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for part in (path.relative_to(folder).as_posix().encode(), path.read_bytes()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _folder_name(which: TinyCheckpoint) -> str:
    """Name the recipe and the libraries, whose versions stand in the configuration files that they write."""
    versions = (f"{library}-{importlib.metadata.version(library)}" for library in ("diffusers", "transformers"))
    return "-".join((which.stamp, *versions))


def _is_whole(place: Path, which: TinyCheckpoint) -> bool:
    try:
        return (place / _FINGERPRINT).read_text(encoding="ascii") == fingerprint(place / which.name)
    except (OSError, UnicodeDecodeError):
        return False


def _make(place: Path, which: TinyCheckpoint) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(place.parent)
    draft = _new_draft(place)
    try:
        _write(draft, which)
        _move(draft, place, which)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _new_draft(place: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix=_DRAFT, dir=place.parent))


def _write(draft: Path, which: TinyCheckpoint) -> None:
    from spacediff.torchvision_shim import shim_torchvision

    shim_torchvision()
    from transformers.utils import logging as transformers_logging

    folder = draft / which.name
    showed_progress = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        which.build().save_pretrained(folder)
    finally:
        if showed_progress:
            transformers_logging.enable_progress_bar()
    (folder / "README.md").write_text(which.card, encoding="utf-8")
    (draft / _FINGERPRINT).write_text(fingerprint(folder), encoding="ascii")
    for path in (draft, *draft.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)  # a cache inside an image is read by other users


def _move(draft: Path, place: Path, which: TinyCheckpoint) -> None:
    """Put the draft in its place, unless another process was first with a whole one."""
    while True:
        try:
            draft.rename(place)
        except OSError:
            if not place.exists():
                raise
            if _is_whole(place, which):
                return
            _take_away(place)
        else:
            return


def _take_away(broken: Path) -> None:
    """Remove a folder from its place in one step, so that nobody meets half of it."""
    aside = _new_draft(broken)
    with contextlib.suppress(FileNotFoundError):  # another process was first
        broken.rename(aside / broken.name)
    shutil.rmtree(aside, ignore_errors=True)


def _remove_abandoned(cache: Path) -> None:
    for draft in cache.glob(f"{_DRAFT}*"):
        try:
            if time.time() - draft.stat().st_mtime > _ABANDONED_AFTER:
                shutil.rmtree(draft, ignore_errors=True)
        except OSError:  # its maker has just finished
            continue
