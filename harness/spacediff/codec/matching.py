"""Encode local frames as the host did, and read back whether that succeeded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from spacediff.clip import Clip
from spacediff.codec.encoders import nearest, x264_of_core
from spacediff.codec.encoding import UNSPECIFIED, Encoding, read_encoding
from spacediff.codec.pictures import CONVERTED_TO, Pictures, converted
from spacediff.codec.x264 import X264, Repeat, differences, repeat
from spacediff.errors import EncodingFailed

_PIXEL_FORMATS = {"yuv420p", "yuv422p", "yuv444p", "gray", "yuv420p10le", "yuv422p10le", "yuv444p10le"}
_STORED_AS = {"yuvj420p": "yuv420p", "yuvj422p": "yuv422p", "yuvj444p": "yuv444p", "gbrp": "rgb24"}


@dataclass(frozen=True)
class Match:
    """How nearly local frames were encoded as the hosted ones.

    Attributes:
        exact: Whether the same x264 core was given the same options, all of them.
        differences: What is not the same, in words; empty when exact.
        described: One sentence for the report.
    """

    exact: bool
    differences: tuple[str, ...]
    described: str


def encode_like(clip: Clip, encoding: Encoding, path: Path) -> Match:
    """Encode frames as a hosted file was encoded.

    Frames are scaled only where the hosted size is theirs rounded up to multiples of 16, as imageio does; any other
    size is left to whoever aligns the two.

    Args:
        clip: Local frames, before any codec.
        encoding: What the hosted file tells; see `read_encoding`.
        path: Where to write; `.mp4`.

    Returns:
        How near it came.

    Raises:
        EncodingFailed

    _PIXEL_FORMATS = {"yuv420p": There is no encoder here, or it refuses.
    """
    if not len(clip.frames):
        raise EncodingFailed("a clip without frames cannot be encoded")
    fps = encoding.fps or clip.fps
    if encoding.x264 is None:
        return _unlike(encoding, nearest(clip, encoding, fps, path))
    pixel_format = _STORED_AS.get(encoding.pixel_format, encoding.pixel_format)
    stored = pixel_format if pixel_format in {*_PIXEL_FORMATS, "rgb24"} else "yuv420p"
    pictures = converted(clip, encoding, stored)
    asked = encode_pictures(pictures, encoding, encoding.x264, fps, path)
    found = differences(encoding.x264, read_encoding(path).x264, asked.lost)
    if stored != pixel_format:
        found = (f"{stored} here, {pixel_format} there", *found)
    if encoding.matrix not in {UNSPECIFIED, "gbr", *CONVERTED_TO}:
        found = (f"the matrix {encoding.matrix} there could not be repeated", *found)
    return Match(not found, found, _described(encoding.x264, found, pictures.remarks))


def encode_pictures(pictures: Pictures, encoding: Encoding, note: X264, fps: Fraction, path: Path) -> Repeat:
    """Encode pictures by the x264 and with the options that a file names; return what was asked of it.

    Raises:
        EncodingFailed

    _PIXEL_FORMATS = {"yuv420p": There is no encoder here, or it refuses.
    """
    asked = _asked(encoding, note, pictures.pixel_format)
    x264_of_core(note.core, pictures.pixel_format)(pictures, asked, fps, path)
    return asked


def _asked(encoding: Encoding, note: X264, pixel_format: str) -> Repeat:
    """Return x264's parameters: its own options, the level (its motion range hangs on it) and the names of colours."""
    asked = repeat(note, full_chroma=pixel_format.startswith("yuv444p"))
    named = {
        "fullrange": {"pc": "on", "tv": "off"}.get(encoding.color_range, UNSPECIFIED),
        "colormatrix": encoding.matrix,
        "colorprim": encoding.primaries,
        "transfer": encoding.transfer,
    }
    level = {} if encoding.level is None else {"level": str(encoding.level)}
    tags = {name: value for name, value in named.items() if value != UNSPECIFIED}
    return replace(asked, parameters=asked.parameters | level | tags)


def _described(note: X264, found: tuple[str, ...], remarks: tuple[str, ...]) -> str:
    encoder = f"x264 core {note.core}"
    if not found:
        said = [f"local frames encoded as the hosted file tells, by {encoder} with all of its options"]
        if note.settings.get("mbtree") == "1":
            said.append("though mbtree also depends on the processor, which no file names")
    else:
        said = [f"local frames encoded nearly as the hosted file tells ({encoder}); not the same: {'; '.join(found)}"]
    return ", ".join((*said, *remarks))


def _unlike(encoding: Encoding, done: str) -> Match:
    silent = f"{encoding.codec}, which does not say how it was encoded"
    return Match(
        exact=False,
        differences=(f"the hosted file is {silent}",),
        described=f"the hosted file is {silent}; local frames {done}, which is near but not the same",
    )
