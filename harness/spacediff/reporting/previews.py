"""Previews in the page: the clips of the audit folder as videos, shrunk as far as the page's budget asks for.

The key insight is that numbers never come from previews, so these may lose quality; but a reader who looks for a
difference has to know that they did. Their pace and the number of their frames never change.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from spacediff.file_names import path_within
from spacediff.record import ASIDE, ClipRecord, RunRecord


@dataclass(frozen=True)
class Level:
    """How far previews are shrunk.

    Attributes:
        share: Of the width and of the height.
        quality: x264's constant rate factor.
    """

    share: Fraction
    quality: int


_LEVELS = (
    Level(Fraction(1), 23),
    Level(Fraction(1), 28),
    Level(Fraction(2, 3), 28),
    Level(Fraction(1, 2), 30),
    Level(Fraction(1, 2), 36),
    Level(Fraction(1, 3), 38),
    Level(Fraction(1, 4), 40),
)
_KEY_FRAMES = 12
"""Frames from one key frame to the next in a shrunk preview; a seek decodes as many at most."""


@dataclass(frozen=True)
class Preview:
    """A video in the page, or a sheet of pictures one below the other.

    Attributes:
        base64: The file.
        width: Pixels across that belong to the picture; odd sizes are padded.
        height: Pixels down; of one picture.
        still: Whether it is a sheet of pictures.
    """

    base64: str
    width: int
    height: int
    still: bool = False


@dataclass(frozen=True)
class Previews:
    """All videos of a page.

    Attributes:
        clips: By the clip's key.
        note: What was done to them, for the reader; empty when nothing was.
    """

    clips: Mapping[str, Preview]
    note: str = ""

    @property
    def size(self) -> int:
        """Bytes of base64."""
        return _size(self.clips)


def clip_key(clip: ClipRecord) -> str:
    """Name the preview of a clip: the same frames at the same rate are embedded once."""
    return f"{clip.digest}@{clip.fps:g}"


def embedded_previews(runs: Iterable[RunRecord], folder: Path, room: float) -> Previews:
    """Return the previews that there are, in at most so many bytes of base64 if that can be reached."""
    found = _found(runs, folder)
    whole = {key: _preview(content, clip.width, clip.height) for key, (clip, content) in found.items()}
    if not found or _size(whole) <= room:
        return Previews(whole)
    shrunk, level = whole, _LEVELS[0]
    for level in _levels(found, room):
        shrunk = {key: _shrunk(clip, content, level) for key, (clip, content) in found.items()}
        if _size(shrunk) <= room:
            break
    return Previews(shrunk, _note(level, still=all(preview.still for preview in shrunk.values())))


def _found(runs: Iterable[RunRecord], folder: Path) -> dict[str, tuple[ClipRecord, bytes]]:
    """Read each preview once; a record cannot make the page embed anything but its own videos."""
    found: dict[str, tuple[ClipRecord, bytes]] = {}
    for run in runs:
        if run.clip is None or run.role in ASIDE or clip_key(run.clip) in found:
            continue
        path = path_within(folder, run.clip.preview)
        if path is None:
            continue
        try:
            content = path.read_bytes()
        except OSError:
            continue
        if content[4:8] == b"ftyp" or _is_still(content):
            found[clip_key(run.clip)] = run.clip, content
    return found


def _levels(found: Mapping[str, tuple[ClipRecord, bytes]], room: float) -> list[Level]:
    """Return the levels worth trying, gentlest first, by what each does to the largest preview; the last one always."""
    clip, content = max(found.values(), key=lambda each: len(each[1]))
    whole = sum(len(each) for _, each in found.values())
    for n, level in enumerate(_LEVELS[:-1]):
        smaller = len(_shrunk(clip, content, level).base64)
        if smaller * whole / len(content) <= room:
            return list(_LEVELS[n:])
    return [_LEVELS[-1]]


def _shrunk(clip: ClipRecord, content: bytes, level: Level) -> Preview:
    """Encode a preview again; one that cannot be decoded stays, and the page says that there is no picture."""
    import cv2
    import numpy as np

    from spacediff.clip import Clip, read_frames, write_preview
    from spacediff.errors import SpacediffError

    width, height = (max(2, round(side * level.share)) for side in (clip.width, clip.height))
    if _is_still(content):
        return _shrunk_sheet(clip, content, (width, height), level)
    with TemporaryDirectory() as folder:
        before, after = Path(folder, "before.mp4"), Path(folder, "after.mp4")
        before.write_bytes(content)
        try:
            seen = (frame[: clip.height, : clip.width] for frame in read_frames(before))
            frames = [cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in seen]
        except SpacediffError:
            return _preview(content, clip.width, clip.height)
        smaller = Clip(np.asarray(frames, dtype=np.uint8), Fraction(clip.fps).limit_denominator(1001))
        write_preview(smaller, after, quality=level.quality, key_frames=_KEY_FRAMES)
        return _preview(after.read_bytes(), width, height)


def _shrunk_sheet(clip: ClipRecord, content: bytes, size: tuple[int, int], level: Level) -> Preview:
    """Encode a sheet of pictures again, as WebP."""
    import PIL.Image

    from spacediff.errors import SpacediffError
    from spacediff.pictures import PictureFile, read_picture

    try:
        pixels, _ = read_picture(PictureFile("preview.png", len(content), lambda: io.BytesIO(content)))
    except SpacediffError:
        return _preview(content, clip.width, clip.height)
    count = max(1, pixels.shape[0] // clip.height)
    sheet, written = PIL.Image.fromarray(pixels).resize((size[0], count * size[1])), io.BytesIO()
    sheet.save(written, "WEBP", quality=_webp_quality(level))
    return Preview(base64.b64encode(written.getvalue()).decode(), *size, still=True)


def _is_still(content: bytes) -> bool:
    return content.startswith(b"\x89PNG")


def _webp_quality(level: Level) -> int:
    """Return a quality of WebP that looks about as good as the rate factor of a level."""
    return 100 - level.quality


def _preview(content: bytes, width: int, height: int) -> Preview:
    return Preview(base64.b64encode(content).decode(), width, height, _is_still(content))


def _size(clips: Mapping[str, Preview]) -> int:
    return sum(len(clip.base64) for clip in clips.values())


def _note(level: Level, *, still: bool = False) -> str:
    size = "full size" if level.share == 1 else f"{level.share} of their width and height"
    if still:
        return f"The pictures in this page were re-encoded at {size} (WebP, quality {_webp_quality(level)})."
    return f"The clips in this page were re-encoded at {size} (x264, rate factor {level.quality})."
