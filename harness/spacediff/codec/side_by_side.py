"""Two clips side by side in one H.264 file with their names above, small enough for an issue.

The key insight: every browser plays H.264 in yuv420p with even dimensions and its index in front. Issues limit the size
of attachments, so the quality is lowered step by step, and reported.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame, probe, read_frames
from spacediff.codec.ffmpeg import ffmpeg, output_argument, raw_input
from spacediff.errors import EncodingFailed, NotComparable

QUALITIES = (18, 24, 30, 36)
"""x264's CRF, the best first; a larger one shows the codec instead of the clip."""
MAX_WIDTH = 720
"""Pixels of one clip; a larger one is scaled down."""
MIN_WIDTH = 360
"""Pixels of one clip; a smaller one is enlarged by a whole factor, so that its label is readable."""
MAX_BYTES = 2**30
"""Most bytes of raw pictures in memory."""

_BAR = 24
_GAP = 4
_INK, _PAPER = (240, 240, 240), (24, 26, 30)


@dataclass(frozen=True)
class Panel:
    """One of the two clips.

    Attributes:
        file: The video file.
        label: The text above it.
    """

    file: Path
    label: str


@dataclass(frozen=True)
class WrittenVideo:
    """The file that was written.

    Attributes:
        size: Bytes.
        quality: CRF that was used.
        frames: Number of frame pairs.
    """

    size: int
    quality: int
    frames: int


def write_side_by_side(
    left: Panel, right: Panel, pairs: Iterable[tuple[int, int]], fps: float, path: Path, *, most: int
) -> WrittenVideo:
    """Write two clips side by side.

    Args:
        left: The reference.
        right: The candidate.
        pairs: Numbers of the frames to show together, ascending for both clips.
        fps: Frames per second.
        path: The MP4 to write.
        most: Largest size in bytes.

    Raises:
        NotMeasuredError: A file cannot be read, there is no pair, or the lowest quality is still larger than `most`.
    """
    wanted = list(pairs)
    if not wanted:
        raise NotComparable("there is no pair of frames to show")
    size = _size(left.file)
    pictures = _pictures(left, right, wanted, size)
    height, width = pictures[0].shape[:2]
    raw = np.concatenate(pictures).tobytes()
    for quality in QUALITIES:
        ffmpeg(
            [
                *raw_input(width, height, "rgb24", Fraction(fps).limit_denominator(1000)),
                *_options(quality),
                output_argument(path),
            ],
            raw,
        )
        if path.stat().st_size <= most:
            return WrittenVideo(path.stat().st_size, quality, len(pictures))
    path.unlink()
    raise EncodingFailed(f"even at the lowest quality it is larger than {most / 1e6:g} MB")


def side_by_side_png(left: Panel, right: Panel, pairs: Iterable[tuple[int, int]]) -> bytes:
    """Return pictures side by side as a PNG, one pair below the other.

    Raises:
        NotMeasuredError: A file cannot be read, or there is no pair.
    """
    import PIL.Image

    wanted = list(pairs)
    if not wanted:
        raise NotComparable("there is no pair of pictures to show")
    written = io.BytesIO()
    PIL.Image.fromarray(np.concatenate(_pictures(left, right, wanted, _size(left.file)))).save(written, "PNG")
    return written.getvalue()


def _options(quality: int) -> list[str]:
    colours = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]
    convert = "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int,format=yuv420p"
    plain = ["-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1"]
    return [
        *("-vf", convert, "-vcodec", "libx264", "-preset", "medium", "-crf", str(quality)),
        *("-x264-params", "threads=1", *colours, *plain, "-movflags", "+faststart", "-f", "mp4"),
    ]


def _size(file: Path) -> tuple[int, int]:
    """Return the width and height of a panel, both even."""
    info = probe(file)
    share = MAX_WIDTH / info.width if info.width > MAX_WIDTH else math.ceil(MIN_WIDTH / info.width)
    return max(2, round(info.width * share / 2) * 2), max(2, round(info.height * share / 2) * 2)


def _pictures(
    left: Panel, right: Panel, pairs: list[tuple[int, int]], size: tuple[int, int]
) -> list[NDArray[np.uint8]]:
    width, height = size
    whole = (2 * width + _GAP) * (height + _BAR) * 3
    if whole * len(pairs) > MAX_BYTES:
        raise EncodingFailed(f"{len(pairs)} frames side by side need more than {MAX_BYTES >> 30} GiB of memory")
    bars = [_label(panel.label, width) for panel in (left, right)]
    gap = np.full((height + _BAR, _GAP, 3), _PAPER, np.uint8)
    sides = zip(_chosen(left.file, [n for n, _ in pairs]), _chosen(right.file, [n for _, n in pairs]), strict=False)
    return [
        np.hstack([np.vstack([bars[0], _fitted(one, size)]), gap, np.vstack([bars[1], _fitted(other, size)])])
        for one, other in sides
    ]


def _chosen(file: Path, numbers: list[int]) -> Iterator[Frame]:
    """Yield frames by their ascending numbers; a repeated number yields its frame again."""
    frames = enumerate(read_frames(file))
    current: tuple[int, Frame] | None = None
    for wanted in numbers:
        while current is None or current[0] < wanted:
            current = next(islice(frames, 1), None)
            if current is None:
                return
        yield current[1]


def _fitted(frame: Frame, size: tuple[int, int]) -> Frame:
    import PIL.Image

    if (frame.shape[1], frame.shape[0]) == size:
        return frame
    enlarged = size[0] % frame.shape[1] == 0 and size[1] % frame.shape[0] == 0
    how = PIL.Image.Resampling.NEAREST if enlarged else PIL.Image.Resampling.BICUBIC
    scaled = PIL.Image.fromarray(frame).resize(size, how)
    return np.asarray(scaled, dtype=np.uint8)


def _label(text: str, width: int) -> Frame:
    """Draw a label; characters outside Latin-1 become `?`."""
    import PIL.Image
    import PIL.ImageDraw
    import PIL.ImageFont

    bar = PIL.Image.new("RGB", (width, _BAR), _PAPER)
    shown = text.encode("latin-1", "replace").decode("latin-1")
    PIL.ImageDraw.Draw(bar).text((6, 3), shown, fill=_INK, font=PIL.ImageFont.load_default(14))
    return np.asarray(bar, dtype=np.uint8)
