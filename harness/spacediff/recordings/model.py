"""The data of a recording, as frozen models with a version of their own."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from spacediff.record import Ignored, TraceRecord
from spacediff.settings import Origin, Settings

SCHEMA_VERSION = 1
MOST_CALLS = 10_000
"""Of a recording."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class WrittenFile(_Model):
    """A file that the script wrote from a clip.

    Attributes:
        name: Its name without folders.
        call: Number of the last call that had begun.
        by: `export_to_video`, `export_to_gif`, or `save` of Pillow.
        sha256: Of its bytes.
        bytes: Its size.
        arguments: The numbers that the function was given, such as `fps`.
    """

    name: str
    call: int
    by: str
    sha256: str
    bytes: int
    arguments: dict[str, bool | int | float] = {}


class RecordedCall(_Model):
    """One call of a pipeline.

    Attributes:
        number: From 1, in the order of the calls.
        where: File and line of the call, without folders.
        outcome: `finished`, `not finished` for a script that died inside it, or the error that it raised.
        seconds: Its duration.
        own_seconds: What recording took besides.
        prompt: The prompt; None in a private recording.
        settings: Dotted path to value.
        trace: What was observed; None where nothing was.
        frames: Number of frames of the clip; 0 without one.
        medium: Whether they are those of a video, or pictures.
        without_clip: Why there is no clip; empty if there is one.
        digest: Digest of the frames.
        censored: Numbers of the pictures that a safety checker replaced, from 0.
        audio: Whether there is sound, which is not recorded.
        fps: Frames per second of the file that the script wrote; None if it wrote no video.
        machine: Versions, devices and variables, name to text.
        ignored: Arguments that a library accepted without using them.
        messages: Warnings of the libraries up to its end.
        warnings: What of its result is not in the recording.
        withheld: Paths of the settings that a private recording leaves out: those whose names are no words of the user,
            and of others the table that they are in.
        tensors: Names of the tensors that are kept; their digests are those of the trace. See
            `spacediff.recordings.tensors`.
    """

    number: int = Field(ge=1)
    where: str = ""
    outcome: str
    seconds: float = 0.0
    own_seconds: float = 0.0
    prompt: Any = None
    settings: dict[str, Any] = {}
    trace: TraceRecord | None = None
    frames: int = 0
    medium: Literal["video", "pictures"] = "video"
    without_clip: str = ""
    digest: str = ""
    censored: tuple[int, ...] = ()
    audio: bool = False
    fps: float | None = None
    machine: dict[str, str] = {}
    ignored: tuple[Ignored, ...] = ()
    messages: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether the call returned."""
        return self.outcome == "finished"

    @property
    def seen(self) -> Settings:
        """The settings, each observed in the script's process."""
        return Settings.of(self.settings, Origin.OBSERVED, self.where)


class Recording(_Model):
    """What a script did with pipelines.

    Attributes:
        schema_version: Version of this format.
        spacediff: Version of the program that wrote it.
        script: Name of the script without folders.
        script_sha256: Of its bytes.
        arguments: The script's arguments; empty in a private recording.
        python: Version of the interpreter.
        private: Whether prompts, pictures and arguments were left out.
        exit_code: Of the script.
        calls: The calls that were recorded.
        written: What it wrote.
        notes: What could not be recorded, and why.
    """

    schema_version: Literal[1] = 1
    spacediff: str
    script: str
    script_sha256: str = ""
    arguments: tuple[str, ...] = ()
    python: str = ""
    private: bool = False
    exit_code: int
    calls: tuple[RecordedCall, ...] = Field(max_length=MOST_CALLS)
    written: tuple[WrittenFile, ...] = ()
    notes: tuple[str, ...] = ()

    @field_validator("calls")
    @classmethod
    def _numbers_are_unique(cls, calls: tuple[RecordedCall, ...]) -> tuple[RecordedCall, ...]:
        """Refuse two calls of one number: they would have one clip."""
        if len({call.number for call in calls}) < len(calls):
            raise ValueError("two calls have the same number")
        return calls
