"""Decode an input picture as `diffusers.utils.load_image` does: turned as EXIF says, then converted to one mode.

The pixels are those of `pictures/`, which decodes what is compared, but for grey of 16 bits: Pillow, and so
`load_image`, cuts it off at level 255, while a comparison keeps the upper 8 bits. A pipeline has to get what a script
gives it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.errors import InputUnusable, PictureNotReadable
from spacediff.inputs.preparing import Preparation, prepared
from spacediff.pictures import opening
from spacediff.pictures.opening import INPUT, PictureFile, damage_reported, frame_count, opened, refuse_size

if TYPE_CHECKING:
    from PIL import Image

_ORIENTATION, _UPRIGHT = 0x0112, 1
"""Tag of EXIF, and its value where nothing is to be turned."""
MAX_BYTES = 2 * 2**30
"""Decoded bytes of all frames of one input."""


def is_picture(path: Path) -> bool:
    """Whether a file is in one of the formats of an input, by its content; it may be damaged or too large."""
    try:
        return opening.is_picture(PictureFile.at(path), INPUT)
    except PictureNotReadable:  # it is not there; what opens it says so
        return True


def read_picture(path: Path, how: Preparation) -> Image.Image:
    """Decode and prepare a picture; of several frames, the first.

    Colour profiles are not applied. Without a background, transparency is dropped as `load_image` does.

    Raises:
        InputUnusable: The file is not a picture, is damaged, or is too large.
    """
    with _opened(path) as (file, picture):
        return _converted(file, picture, how)


def read_animation(path: Path, how: Preparation) -> list[Image.Image]:
    """Decode the frames of an animated GIF, PNG or WebP, each as a picture.

    Raises:
        InputUnusable: The file is damaged, or its frames are too large together.
    """
    with _opened(path) as (file, picture):
        with damage_reported(file, INPUT), warnings.catch_warnings(action="ignore"):
            count, (width, height) = frame_count(picture, file), picture.size  # some formats read them to count them
        count = count if how.frames is None else min(count, how.frames)
        if count * width * height * len(how.mode) > MAX_BYTES:
            raise InputUnusable(f"it has {count} frames of {width}x{height} pixels, more than are decoded")
        frames = []
        for number in range(count):
            with damage_reported(file, INPUT), warnings.catch_warnings(action="ignore"):
                picture.seek(number)
            frames.append(_converted(file, picture, how))
        return frames


def has_orientation(path: Path) -> bool:
    """Whether EXIF says that a picture is to be turned or mirrored; a file that is no readable picture is not."""
    try:
        with _opened(path) as (file, picture), damage_reported(file, INPUT), warnings.catch_warnings(action="ignore"):
            return int(picture.getexif().get(_ORIENTATION, _UPRIGHT)) != _UPRIGHT
    except (InputUnusable, PictureNotReadable, ValueError, TypeError):
        return False


def notes_on(path: Path, how: Preparation) -> list[str]:
    """Say what is lost of a picture that people may not expect."""
    with _opened(path) as (_, picture):
        found = []
        if picture.mode.startswith("I"):
            found.append("has 16 bits; Pillow cuts its levels off at 255, as `load_image` does")
        if picture.has_transparency_data and how.mode != "RGBA" and not how.background:
            found.append("is transparent in places; the transparency is dropped, as `load_image` does")
        return found


def _converted(file: PictureFile, picture: Image.Image, how: Preparation) -> Image.Image:
    from PIL import ImageOps

    with damage_reported(file, INPUT), warnings.catch_warnings(action="ignore"):
        refuse_size(picture, file, INPUT)
        turned = ImageOps.exif_transpose(picture)
        turned.load()
    return prepared(turned, how)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[PictureFile, Image.Image]]:
    """Open a picture without decoding it, under a name that a record may have.

    Raises:
        InputUnusable: It is not a picture, is damaged, or is too large.
    """
    try:
        file = replace(PictureFile.at(path), name="the picture")
        with opened(file, INPUT) as picture:
            yield file, picture
    except PictureNotReadable as error:
        raise InputUnusable(error.message.replace(path.name, "the picture")) from error
