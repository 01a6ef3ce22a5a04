"""Small pictures of inputs for a report, written into the audit folder under the digest of the file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from spacediff.clip import read_frames
from spacediff.errors import SpacediffError
from spacediff.files import make_folder
from spacediff.inputs.files import Input, InputFile
from spacediff.inputs.pictures import is_picture, read_picture
from spacediff.inputs.preparing import Preparation
from spacediff.observer.digest_length import DIGITS
from spacediff.record import InputRecord
from spacediff.store.store import INPUTS

if TYPE_CHECKING:
    from PIL import Image

_SIDE = 480
"""Pixels of the longer side of a preview."""


def write_previews(inputs: Sequence[Input], folder: Path) -> list[InputRecord]:
    """Write a preview of each file of some inputs, and make the records of the files.

    A record has no file name, which may say more than its user wants to. A file that was removed or changed since the
    plan was made has no preview.

    Args:
        inputs: The inputs of a prompt.
        folder: The audit folder.
    """
    return [_recorded(given.name, file, folder) for given in inputs for file in given.files]


def _recorded(name: str, file: InputFile, folder: Path) -> InputRecord:
    path, place = Path(file.path), PurePosixPath(INPUTS) / f"{file.digest[:DIGITS]}.png"
    with suppress(SpacediffError, OSError):
        video = not is_picture(path)
        picture = _first_frame(path) if video else read_picture(path, Preparation())
        width, height = picture.size
        picture.thumbnail((_SIDE, _SIDE))
        make_folder(folder / INPUTS)
        picture.info.clear()  # EXIF may say where a photo was taken
        picture.save(folder / place, "PNG", optimize=True)
        return InputRecord(
            name=name, digest=file.digest, width=width, height=height, video=video, preview=place.as_posix()
        )
    return InputRecord(name=name, digest=file.digest)


def _first_frame(path: Path) -> Image.Image:
    from PIL import Image

    return Image.fromarray(next(iter(read_frames(path))))
