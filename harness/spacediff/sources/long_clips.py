"""Videos whose comparison takes minutes, found by their headers before anything is decoded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from spacediff.clip import FileInfo, probe
from spacediff.errors import NotMeasuredError
from spacediff.record import Fact, FactKind, fact
from spacediff.run import Run

_SECONDS_EACH, _SECONDS_PER_PIXEL = 0.05, 6e-7
"""What decoding, aligning and scoring one frame takes on one processor of a server: the seconds that `time spacediff
compare` gave for pairs of 100 and 400 frames of 64x64 pixels and of 100 frames of 256x256, less those of starting."""
_LONG = 60.0
"""Seconds from which on an estimate is shown."""


def long_clips(runs: Iterable[Run]) -> Iterator[Fact]:
    """Yield the video that takes longest, if comparing it takes more than a minute.

    Args:
        runs: The runs of an audit or a comparison.
    """
    found = []
    for run in runs:
        if run.source == "video" and "file" in run.request:
            file = Path(run.request["file"])
            with suppress(NotMeasuredError, OSError):  # the run says what is wrong with it
                info = probe(file)
                frames = min(info.frames, run.request.get("max_frames") or info.frames)
                found.append((_seconds(info, frames), file.name, frames))
    if found and max(found)[0] > _LONG:
        seconds, name, frames = max(found)
        yield fact(FactKind.LONG_CLIP, file=name, frames=frames, seconds=seconds)


def _seconds(info: FileInfo, frames: int) -> float:
    return frames * (_SECONDS_EACH + _SECONDS_PER_PIXEL * info.width * info.height)
