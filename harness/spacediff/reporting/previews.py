"""Previews in the page: the clips of the audit folder as videos, as small as the page's budget asks for.

The key insight is that numbers never come from previews, so these may lose quality; but a reader who looks for a
difference has to know that they did. Their pace and the number of their frames never change. A run has left a small
preview beside a large one, so that usually nothing is encoded here.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from spacediff.file_names import read_within
from spacediff.record import ASIDE, ClipRecord, RunRecord

_LARGEST = 128 * 2**20
"""Bytes of a preview that is read; those of an audit have a few millions."""


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
_THREADS = 4
"""Previews that are encoded at the same time, at most; each has one frame in memory."""


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
        return sum(len(clip.base64) for clip in self.clips.values())


@dataclass(frozen=True)
class _Found:
    """A clip's files for the page.

    Attributes:
        clip: The clip.
        content: Its preview.
        small: Its small preview; empty where it has none.
    """

    clip: ClipRecord
    content: bytes
    small: bytes


def clip_key(clip: ClipRecord) -> str:
    """Name the preview of a clip: the same frames at the same rate are embedded once."""
    return f"{clip.digest}@{clip.fps:g}"


def embedded_previews(runs: Iterable[RunRecord], folder: Path, room: float) -> Previews:
    """Return the previews that there are, in at most so many bytes of base64 if that can be reached."""
    found = _found(runs, folder)
    previews = Previews({key: _preview(each.content, each.clip.width, each.clip.height) for key, each in found.items()})
    if not found or previews.size <= room:
        return previews
    small = _small(found)
    if small.note and small.size <= room:
        return small
    for level in _levels(found, room):
        previews = _all_shrunk(found, level)
        if previews.size <= room:
            break
    return previews


def _small(found: Mapping[str, _Found]) -> Previews:
    """Return the small previews, and those that have none as they are."""
    levels = [each.clip.small.quality for each in found.values() if each.clip.small and each.small]
    return Previews(
        {key: _preview(each.small or each.content, each.clip.width, each.clip.height) for key, each in found.items()},
        _note(Level(Fraction(1), max(levels)), len(levels), len(found)) if levels else "",
    )


def _all_shrunk(found: Mapping[str, _Found], level: Level) -> Previews:
    """Encode all previews again."""
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1), "previews") as pool:
        shrunk = list(pool.map(lambda each: _shrunk(each.clip, each.content, level), found.values()))
    still = all(preview.still for preview in shrunk)
    return Previews(dict(zip(found, shrunk, strict=True)), _note(level, len(found), len(found), still=still))


def _found(runs: Iterable[RunRecord], folder: Path) -> dict[str, _Found]:
    """Read each preview once; a record cannot make the page embed anything but its own videos."""
    found: dict[str, _Found] = {}
    for run in runs:
        if run.clip is None or run.role in ASIDE or clip_key(run.clip) in found:
            continue
        if content := _content(folder, run.clip.preview):
            small = _content(folder, run.clip.small.file) if run.clip.small else b""
            found[clip_key(run.clip)] = _Found(run.clip, content, small)
    return found


def _content(folder: Path, name: str) -> bytes:
    """Read a preview; empty where the audit folder has none of this name."""
    content = read_within(folder, name, _LARGEST) or b""
    return content if content[4:8] == b"ftyp" or _is_still(content) else b""


def _levels(found: Mapping[str, _Found], room: float) -> list[Level]:
    """Return the levels worth trying, gentlest first, by what each does to the largest preview; the last one always."""
    largest = max(found.values(), key=lambda each: len(each.content))
    whole = sum(len(each.content) for each in found.values())
    for n, level in enumerate(_LEVELS[:-1]):
        smaller = len(_shrunk(largest.clip, largest.content, level).base64)
        if smaller * whole / len(largest.content) <= room:
            return list(_LEVELS[n:])
    return [_LEVELS[-1]]


def _shrunk(clip: ClipRecord, content: bytes, level: Level) -> Preview:
    """Encode a preview again; one that cannot be decoded stays, and the page says that there is no picture."""
    import cv2
    import numpy as np

    from spacediff.clip import read_frames, write_frames
    from spacediff.errors import SpacediffError

    width, height = (max(2, round(side * level.share)) for side in (clip.width, clip.height))
    if _is_still(content):
        return _shrunk_sheet(clip, content, (width, height), level)
    with TemporaryDirectory() as folder:
        before, after = Path(folder, "before.mp4"), Path(folder, "after.mp4")
        before.write_bytes(content)
        seen = (frame[: clip.height, : clip.width] for frame in read_frames(before))
        frames = (
            np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8) for frame in seen
        )
        fps = Fraction(clip.fps).limit_denominator(1001)
        try:
            write_frames(frames, fps, after, quality=level.quality, key_frames=_KEY_FRAMES)
        except SpacediffError:
            return _preview(content, clip.width, clip.height)
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


def _note(level: Level, count: int, of: int, *, still: bool = False) -> str:
    """Say that so many of all clips were encoded again."""
    size = "full size" if level.share == 1 else f"{level.share} of their width and height"
    how = f"WebP, quality {_webp_quality(level)}" if still else f"x264, rate factor {level.quality}"
    clips = "pictures" if still else "clips"
    which = f"The {clips} in this page" if count == of else f"{count} of the {of} {clips} in this page"
    return f"{which} {'was' if count == 1 and count < of else 'were'} re-encoded at {size} ({how})."
