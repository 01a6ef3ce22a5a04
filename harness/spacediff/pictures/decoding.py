"""The one decoder of pictures that are compared, from files that are untrusted.

The key insight: the pixels that a viewer shows and those that a script reads are not always the same. What a script
reads counts: diffusers' `load_image` turns a picture as its EXIF orientation says and converts it to RGB. So colour
profiles are not applied, colours are read as stored where they are transparent, and 16 bits lose their lower byte. A
note says so where one of these has an effect.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spacediff.errors import PictureNotReadable
from spacediff.pictures.opening import (
    COMPARED,
    PICTURE_FORMATS,
    PictureFile,
    damage_reported,
    frame_count,
    opened,
    refuse_size,
)

if TYPE_CHECKING:
    import PIL.Image

_UNTIMED_MS = 100
"""How long browsers show a frame whose file says 0."""

_SIXTEEN_BITS = {"I", "I;16", "I;16B", "I;16L", "I;16N"}
_PNG_DEPTH = 24
"""Offset of the bit depth in a PNG file."""


@dataclass(frozen=True)
class PictureInfo:
    """What a picture file says about itself.

    Attributes:
        format: `png`, `jpeg`, `webp`, `gif` or `avif`, by the content of the file.
        mode: Pillow's name of the pixel format, such as `RGB`, `RGBA` or `P`.
        width: Pixels, after the EXIF orientation.
        height: Pixels, likewise.
        frames: Number of frames; more than one in an animation.
        fps: Mean frames per second of an animation; 1 for a still picture.
        size_bytes: File size.
        notes: What of the file is not in the decoded pixels, one sentence each.
    """

    format: str
    mode: str
    width: int
    height: int
    frames: int
    fps: Fraction
    size_bytes: int
    notes: tuple[str, ...] = ()


def read_picture(path: Path | PictureFile) -> tuple[NDArray[np.uint8], PictureInfo]:
    """Decode a still picture.

    Returns:
        The pixels, uint8 `[H, W, 3]` RGB, and what the file says about itself.

    Raises:
        PictureNotReadable: The file is no picture, is damaged or too large, or is an animation.
    """
    file = _file(path)
    with warnings.catch_warnings(action="ignore"), _opened(file) as image:
        if (count := frame_count(image, file)) > 1:
            raise PictureNotReadable(f"{file.name} is an animation of {count} frames, and one picture is expected")
        pixels = _pixels(image, file)
        return pixels, _info(image, file, pixels, count)


def read_pictures(path: Path | PictureFile) -> Iterator[NDArray[np.uint8]]:
    """Decode the frames of a picture file one by one, each uint8 `[H, W, 3]` RGB.

    Raises:
        PictureNotReadable: The file is no picture, is damaged or too large.
    """
    file = _file(path)
    with _opened(file) as image:
        for number in range(frame_count(image, file)):
            with warnings.catch_warnings(action="ignore"):  # not around the yield: it would silence the caller too
                image.seek(number)
                pixels = _pixels(image, file)
            yield pixels


def probe_pictures(path: Path | PictureFile) -> PictureInfo:
    """Read what a picture file says about itself; decodes its first frame to find what the pixels leave out.

    Raises:
        PictureNotReadable: The file is no picture, is damaged or too large.
    """
    file = _file(path)
    with warnings.catch_warnings(action="ignore"), _opened(file) as image:
        count = frame_count(image, file)
        return _info(image, file, _pixels(image, file), count)


def _file(path: Path | PictureFile) -> PictureFile:
    return PictureFile.at(path) if isinstance(path, Path) else path


@contextmanager
def _opened(file: PictureFile) -> Iterator[PIL.Image.Image]:
    """Open a picture in the format that it begins as, and turn all damage found in the block into one error."""
    found = file.format
    if not found:
        raise PictureNotReadable(f"{file.name} cannot be opened as a picture: it is not {PICTURE_FORMATS}")
    with damage_reported(file, COMPARED), opened(file, COMPARED, [found.upper()]) as image:
        yield image


def _pixels(image: PIL.Image.Image, file: PictureFile) -> NDArray[np.uint8]:
    """Return the current frame as uint8 `[H, W, 3]` RGB, turned as EXIF says."""
    import PIL.ImageOps

    image.load()
    refuse_size(image, file, COMPARED)
    if image.mode == "F":
        raise PictureNotReadable(f"{file.name} has floating point pixels, which have no known range")
    turned = PIL.ImageOps.exif_transpose(image)
    if turned.mode in _SIXTEEN_BITS:
        levels = (np.asarray(turned).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(levels[..., None], 3, axis=2)
    if turned.has_transparency_data:  # first to RGBA, since a palette with transparency has no other way
        turned = turned.convert("RGBA")
    return np.array(turned.convert("RGB"))  # a copy: torch warns of arrays that cannot be written


def _info(image: PIL.Image.Image, file: PictureFile, pixels: NDArray[np.uint8], count: int) -> PictureInfo:
    mode, unsaid = image.mode, tuple(_notes(image, file))
    durations = _durations(image, count)
    mean = Fraction(sum(durations), count) if count > 1 else Fraction(1000)
    if len(set(durations)) > 1:
        shown = f"{file.name} shows its frames for {min(durations)} to {max(durations)} ms"
        unsaid = (*unsaid, f"{shown}: they are compared by number, and their mean rate is used")
    return PictureInfo(
        format=file.format,
        mode=mode,
        width=pixels.shape[1],
        height=pixels.shape[0],
        frames=count,
        fps=(Fraction(1000) / mean).limit_denominator(1001),
        size_bytes=file.size,
        notes=unsaid,
    )


def _durations(image: PIL.Image.Image, count: int) -> list[int]:
    """Return how long each frame of an animation is shown, in milliseconds; empty for a still picture."""
    found = []
    for number in range(count if count > 1 else 0):
        image.seek(number)
        image.load()  # WebP and AVIF know the duration of a frame only then
        found.append(round(image.info.get("duration") or 0) or _UNTIMED_MS)
    return found


def _notes(image: PIL.Image.Image, file: PictureFile) -> Iterator[str]:
    """Say what of a file's first frame is not in the decoded pixels."""
    if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema() != (255, 255):
        yield f"{file.name} has transparent pixels: colours are used as stored, and transparency is not compared"
    profile = image.info.get("icc_profile") or b""
    if profile and b"sRGB" not in profile and b"s\0R\0G\0B" not in profile:
        yield f"{file.name} has a colour profile other than sRGB, which is not applied"
    if image.mode == "CMYK":
        yield f"{file.name} has CMYK colours, converted to RGB without a profile"
    if image.mode in _SIXTEEN_BITS or (file.format == "png" and _png_depth(file) > 8):  # noqa: PLR2004 - bits
        yield f"{file.name} has 16 bits per channel, of which the upper 8 are used"


def _png_depth(file: PictureFile) -> int:
    return file.head(_PNG_DEPTH + 1)[-1]
