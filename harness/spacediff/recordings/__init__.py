"""Recordings: what the pipeline calls of a script were, in one ZIP that another machine can read."""

from spacediff.recordings.archive import is_recording, read_recording, unpack_clip, write_recording
from spacediff.recordings.calls import chosen, opened_clip, recorded_clip
from spacediff.recordings.model import RecordedCall, Recording, WrittenFile

__all__ = [
    "RecordedCall",
    "Recording",
    "WrittenFile",
    "chosen",
    "is_recording",
    "opened_clip",
    "read_recording",
    "recorded_clip",
    "unpack_clip",
    "write_recording",
]
