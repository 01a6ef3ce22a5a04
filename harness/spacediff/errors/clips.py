"""Clips and their comparison: files that cannot be read or written, and clips that cannot be compared."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from spacediff.errors.base import Exit, NotMeasuredError


class ReferenceMissing(NotMeasuredError):
    """A run that was skipped because the clip to compare it with is unavailable."""

    code = "reference-missing"


class VideoNotReadable(NotMeasuredError):
    """A video file that is missing, broken, or too large to decode."""

    code = "video-not-readable"
    exit_code = Exit.BAD_INPUT  # it ends a command only if the file was an argument of it


class PictureNotReadable(VideoNotReadable):
    """A picture file that is missing, broken, or too large to decode."""

    code = "picture-not-readable"


class EncodingFailed(NotMeasuredError):
    """A clip that could not be encoded."""

    code = "encoding-failed"


class NotComparable(NotMeasuredError):
    """Clips or latents of different sizes."""

    code = "not-comparable"


class LatentsNotReadable(NotMeasuredError):
    """Kept latents of an audit that are missing or damaged."""

    code = "latents-not-readable"


class RecordingNotReadable(NotMeasuredError):
    """A recording that is missing, damaged, or lacks what is asked of it."""

    code = "recording-not-readable"
    exit_code = Exit.BAD_INPUT  # it ends a command only if the file was an argument of it


class RecordingWithoutFrames(RecordingNotReadable):
    """A recorded call without frames, as in a private recording.

    Args:
        message: What happened.
        hint: What to do about it.
        seen: What is known of the call nevertheless, as fields of a run's record.
    """

    code = "recording-without-frames"

    def __init__(self, message: str, *, hint: str = "", seen: Mapping[str, Any] = MappingProxyType({})) -> None:
        super().__init__(message, hint=hint)
        self.seen = seen


class MetricUnavailable(NotMeasuredError):
    """A metric that cannot be computed on these frames, or whose weights are missing or damaged."""

    code = "metric-unavailable"
