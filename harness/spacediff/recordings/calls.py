"""One call of a recording: which one is meant, and its clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from spacediff.errors import RecordingNotReadable, VideoNotReadable
from spacediff.recordings.archive import unpack_clip
from spacediff.recordings.model import RecordedCall, Recording
from spacediff.settings import EXPORT_FPS

if TYPE_CHECKING:
    from spacediff.clip import Clip, LongClip

_UNPACKED = "recorded.mkv"
_Clip = TypeVar("_Clip", "Clip", "LongClip", "Clip | LongClip")


def chosen(recording: Recording, number: int | None, name: str) -> RecordedCall:
    """Return a call of a recording.

    Args:
        recording: The recording.
        number: Its number; None for the only one that has a clip.
        name: Name of the file, for errors.

    Raises:
        RecordingNotReadable: There is no such call, or several have a clip and none is named.
    """
    if not recording.calls:
        raise RecordingNotReadable(f"{name} has no pipeline call", hint="record a script that calls one")
    listed = ", ".join(f"{call.number} at {call.where}" for call in recording.calls)
    if number is None:
        found = [call for call in recording.calls if not call.without_clip] or list(recording.calls)
    else:
        found = [call for call in recording.calls if call.number == number]
    if not found:
        raise RecordingNotReadable(f"{name} has no call {number}", hint=f"its calls are {listed}")
    if len(found) > 1:
        raise RecordingNotReadable(
            f"{name} has several calls", hint=f"name one, such as {name}#{found[-1].number}: {listed}"
        )
    return found[0]


def recorded_clip(file: Path, call: RecordedCall, folder: Path) -> Clip:
    """Return the clip of a recorded call in memory; it is unpacked into a folder, from which it is removed.

    Raises:
        RecordingNotReadable: There is no undamaged clip of it.
    """
    from spacediff.clip import read_clip

    try:
        return _unpacked(file, call, folder, read_clip)
    finally:
        (folder / _UNPACKED).unlink(missing_ok=True)


def opened_clip(file: Path, call: RecordedCall, folder: Path) -> Clip | LongClip:
    """Return the clip of a recorded call; that of a long one stays in the folder, as `recorded.mkv`.

    Raises:
        RecordingNotReadable: There is no undamaged clip of it.
    """
    from spacediff.clip import Clip, open_clip

    clip: Clip | LongClip | None = None
    try:
        clip = _unpacked(file, call, folder, open_clip)
    finally:
        if clip is None or isinstance(clip, Clip):
            (folder / _UNPACKED).unlink(missing_ok=True)
    return clip


def _unpacked(file: Path, call: RecordedCall, folder: Path, opened: Callable[[Path], _Clip]) -> _Clip:
    """Unpack the clip of a call, open it, and check that it is the recorded one."""
    from spacediff.clip import PICTURES_FPS

    try:
        unpack_clip(file, call, folder / _UNPACKED)
        fps = PICTURES_FPS if call.medium == "pictures" else Fraction(call.fps or EXPORT_FPS)
        clip = replace(opened(folder / _UNPACKED), fps=fps, medium=call.medium)
        if clip.digest != call.digest:
            raise RecordingNotReadable(f"the clip of call {call.number} of {file.name} is not the recorded one")
    except VideoNotReadable as error:
        raise RecordingNotReadable(f"the clip of call {call.number} of {file.name} is damaged") from error
    return clip
