"""The texts inside a picture or video file, by name, each with the place where it stands.

PNG has `tEXt`, `zTXt` and `iTXt` chunks (PNG specification, 3rd edition, 11.3.3), JPEG, WebP and AVIF have EXIF, video
containers have tags. A file may be hostile: the number of texts, their size, and what a compressed one unpacks to are
bounded before anything is read.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from spacediff.clip import open_video
from spacediff.errors import PictureNotReadable, VideoNotReadable
from spacediff.pictures import PictureFile
from spacediff.pictures.opening import COMPARED, DAMAGE, opened

NAMES = ("parameters", "invokeai_metadata", "prompt", "usercomment", "comment", "description", "imagedescription",
         "make", "model")  # fmt: skip
"""Names of the texts in which programs write settings, in lower case; others are left out, and not unpacked."""
MAX_TEXT_BYTES = 4 * 2**20
"""A longer text is left out, also one that unpacks to more."""
MAX_TEXTS = 64
"""Further texts of a file are left out."""
_MOST_BYTES = 4 * MAX_TEXT_BYTES
"""Bytes of all texts of a PNG; after that, its chunks are left out."""
_MOST_CHUNKS = 200_000
_HEADER = struct.Struct(">I4s")
_PNG_SIGNATURE = 8
_CHECKSUM = 4
_LONGEST_KEYWORD = 79
_EXIF_TAGS = {0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model"}
_EXIF_FOLDER = 0x8769
_USER_COMMENT = 0x9286
_CHARACTER_CODE = 8
"""Bytes before a UserComment that say how its text is encoded (EXIF 2.32, 4.6.5)."""


@dataclass(frozen=True)
class EmbeddedText:
    """A text inside a file.

    Attributes:
        name: Its name in lower case, such as `parameters`.
        text: The text.
        place: Where it stands, such as `PNG text parameters`.
    """

    name: str
    text: str
    place: str


def texts_in_picture(file: PictureFile) -> list[EmbeddedText]:
    """Return the texts of a picture file; none of one that is damaged."""
    try:
        with file.open() as content:
            chunks = list(islice(_png_texts(content), MAX_TEXTS)) if file.format == "png" else []
    except (OSError, ValueError, struct.error):
        chunks = []
    return [*chunks, *_exif_texts(file)][:MAX_TEXTS]


def texts_in_video(path: Path) -> list[EmbeddedText]:
    """Return the tags of a video's container and of its streams; none of a file that cannot be opened."""
    try:
        with open_video(path) as container:
            tags = [container.metadata, *(stream.metadata for stream in container.streams)]
    except VideoNotReadable:
        return []
    found: dict[str, str] = {}
    for table in tags:
        for name, text in table.items():
            if name.lower() in NAMES and len(text) <= MAX_TEXT_BYTES:
                found.setdefault(name.lower(), text)
    return [EmbeddedText(name, text, f"video tag {name[:_LONGEST_KEYWORD]}") for name, text in found.items()][
        :MAX_TEXTS
    ]


def _png_texts(content: IO[bytes]) -> Iterator[EmbeddedText]:
    content.seek(_PNG_SIGNATURE)
    left = _MOST_BYTES
    for _ in range(_MOST_CHUNKS):
        header = content.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return
        size, kind = _HEADER.unpack(header)
        if kind not in {b"tEXt", b"zTXt", b"iTXt"} or size > MAX_TEXT_BYTES:
            content.seek(size + _CHECKSUM, 1)
            continue
        body = content.read(size)
        if len(body) < size:
            return
        content.seek(_CHECKSUM, 1)
        keyword, separator, rest = body.partition(b"\0")
        name = keyword[: _LONGEST_KEYWORD + 1].decode("latin-1")
        if not separator or name.lower() not in NAMES:
            continue
        text = _png_text(kind, rest)
        left -= MAX_TEXT_BYTES if text is None else len(text)  # a bomb takes as long as a text of the largest size
        if left < 0:
            return
        if text is not None:
            yield EmbeddedText(name.lower(), text, f"PNG text {name}")


def _png_text(kind: bytes, rest: bytes) -> str | None:
    """Return the text of a chunk after its keyword; None if it is damaged, or unpacks to too much."""
    if kind == b"tEXt":
        return rest.decode("latin-1")
    if kind == b"zTXt":
        found = _unpacked(rest[1:]) if rest[:1] == b"\0" else None
        return found.decode("latin-1") if found is not None else None
    is_packed, method = rest[:1] == b"\1", rest[1:2]
    *_, content = rest[2:].split(b"\0", 2)  # language tag, translated keyword
    found = (_unpacked(content) if method == b"\0" else None) if is_packed else content
    return found.decode("utf-8", "replace") if found is not None else None


def _unpacked(packed: bytes) -> bytes | None:
    unpacking = zlib.decompressobj()
    try:
        found = unpacking.decompress(packed, MAX_TEXT_BYTES)
    except zlib.error:
        return None
    return found if unpacking.eof else None


def _exif_texts(file: PictureFile) -> Iterator[EmbeddedText]:
    try:
        with opened(file, COMPARED) as image:
            tags = image.getexif()
            values = {name: tags.get(tag) for tag, name in _EXIF_TAGS.items()}
            comment = tags.get_ifd(_EXIF_FOLDER).get(_USER_COMMENT)
    except (PictureNotReadable, *DAMAGE):
        return
    for name, value in {**values, "UserComment": _comment(comment)}.items():
        if isinstance(value, str) and 0 < len(value) <= MAX_TEXT_BYTES:
            yield EmbeddedText(name.lower(), value, f"EXIF {name}")


def _comment(value: object) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, bytes) or len(value) > MAX_TEXT_BYTES:
        return ""
    code, content = value[:_CHARACTER_CODE], value[_CHARACTER_CODE:]
    if not code.startswith(b"UNICODE"):
        return (
            content.decode("utf-8", "replace")
            if code.startswith((b"ASCII", b"\0"))
            else value.decode("utf-8", "replace")
        )
    # programs write both orders of bytes; the first letter of a text is usually one of ASCII
    return content.decode("utf-16-be" if content[:1] == b"\0" else "utf-16-le", "replace")
