"""Encode local frames as the hosted file was encoded, and read back whether that succeeded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from spacediff.clip import Clip
from spacediff.codec.encoders import encode_approximately, x264_of_core
from spacediff.codec.encoding import UNSPECIFIED, Encoding, read_encoding
from spacediff.codec.ffmpeg import in_process
from spacediff.codec.pictures import CONVERTED_TO, Pictures, converted
from spacediff.codec.stills import StillEncoding, read_still_encoding
from spacediff.codec.x264 import X264, Repeat, differences, repeat
from spacediff.errors import EncodingFailed
from spacediff.record import Fact, FactKind, fact

_PIXEL_FORMATS = {"yuv420p", "yuv422p", "yuv444p", "gray", "yuv420p10le", "yuv422p10le", "yuv444p10le"}
_STORED_AS = {"yuvj420p": "yuv420p", "yuvj422p": "yuv422p", "yuvj444p": "yuv444p", "gbrp": "rgb24"}


@dataclass(frozen=True)
class Match:
    """How closely local frames were encoded like the hosted ones.

    Attributes:
        exact: Whether the same x264 core was given the same options, all of them; of pictures, whether the same format
            was written with all that the file says about its losses.
        differences: What is not the same; empty when exact.
        path: What the frames went through.
    """

    exact: bool
    differences: tuple[Fact, ...]
    path: tuple[Fact, ...]


def encoding_of(path: Path) -> Encoding | StillEncoding:
    """Read how a file with a clip was encoded.

    Raises:
        VideoNotReadable: The file is neither a video nor a picture, or claims more pixels than are decoded here.
    """
    return read_still_encoding(path) or read_encoding(path)


def encode_like(clip: Clip, encoding: Encoding | StillEncoding, path: Path) -> Match:
    """Encode frames as a hosted file was encoded.

    Frames are scaled only where the hosted size is theirs rounded up to multiples of 16, as imageio does; any other
    size is left to the alignment.

    Args:
        clip: Local frames, before any codec.
        encoding: What the hosted file says; see `encoding_of`.
        path: Where to write.

    Returns:
        How close the result is.

    Raises:
        EncodingFailed: There is no encoder here, or it refuses.
    """
    if not len(clip.frames):
        raise EncodingFailed("a clip without frames cannot be encoded")
    if isinstance(encoding, StillEncoding):
        encoding.write(clip, path)
        return Match(not encoding.differences, encoding.differences, encoding.path)
    fps = encoding.fps or clip.fps
    if encoding.x264 is None:
        approximate = encode_approximately(clip, encoding, fps, path)
        unsaid = fact(FactKind.ENCODING_UNSAID, codec=encoding.codec)
        return Match(exact=False, differences=(unsaid,), path=(unsaid, *approximate))
    pictures = as_pictures(clip, encoding)
    command, called = encoding_command(pictures, encoding, encoding.x264, fps, path)
    in_process(command, pictures.data)
    found = differences(encoding.x264, read_encoding(path).x264, called.lost)
    stored, hosted = pictures.pixel_format, _stored_as(encoding)
    if stored != hosted:
        found = (fact(FactKind.PIXEL_FORMAT_DIFFERS, local=stored, hosted=hosted), *found)
    if encoding.matrix not in {UNSPECIFIED, "gbr", *CONVERTED_TO}:
        found = (fact(FactKind.MATRIX_LOST, matrix=encoding.matrix), *found)
    return Match(not found, found, (_encoded(encoding.x264, found), *pictures.remarks))


def as_pictures(clip: Clip, encoding: Encoding) -> Pictures:
    """Convert frames to the pictures that x264 took for a file, or to 4:2:0 where they are unavailable here."""
    hosted = _stored_as(encoding)
    return converted(clip, encoding, hosted if hosted in {*_PIXEL_FORMATS, "rgb24"} else "yuv420p")


def _stored_as(encoding: Encoding) -> str:
    return _STORED_AS.get(encoding.pixel_format, encoding.pixel_format)


def encoding_command(
    pictures: Pictures, encoding: Encoding, note: X264, fps: Fraction, path: Path | None
) -> tuple[list[str], Repeat]:
    """Return the command that encodes pictures with the x264 and the options that a file names, and how it calls x264.

    Args:
        pictures: What the command reads from its input.
        encoding: The file.
        note: x264's note in it.
        fps: Frames per second.
        path: The MP4 to write; None for Matroska to its output.

    Raises:
        EncodingFailed: There is no encoder here.
    """
    called = _call_of(encoding, note, pictures.pixel_format)
    return x264_of_core(note.core, pictures.pixel_format)(pictures, called, fps, path), called


def _call_of(encoding: Encoding, note: X264, pixel_format: str) -> Repeat:
    """Return x264's parameters: its own options, the level, which limits the motion range, and the colour tags."""
    own = repeat(note, full_chroma=pixel_format.startswith("yuv444p"))
    named = {
        "fullrange": {"pc": "on", "tv": "off"}.get(encoding.color_range, UNSPECIFIED),
        "colormatrix": encoding.matrix,
        "colorprim": encoding.primaries,
        "transfer": encoding.transfer,
    }
    level = {} if encoding.level is None else {"level": str(encoding.level)}
    tags = {name: value for name, value in named.items() if value != UNSPECIFIED}
    return replace(own, parameters=own.parameters | level | tags)


def _encoded(note: X264, found: tuple[Fact, ...]) -> Fact:
    if found:
        return fact(FactKind.ENCODED_SIMILARLY, *found, core=note.core)
    return fact(FactKind.ENCODED_EXACTLY, core=note.core, mbtree=note.settings.get("mbtree") == "1")
