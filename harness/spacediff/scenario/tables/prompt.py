"""A prompt: its text, its seed and its input pictures and videos."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, PlainValidator, ValidationInfo

from spacediff.scenario.paths import absolute_path
from spacediff.scenario.tables.base import Table, expect
from spacediff.scenario.tables.inputs import NAMED_INPUTS, InputName
from spacediff.scenario.tables.types import LongText, Part, Seed

_MOST_FILES = 1000


def _files(value: Any, info: ValidationInfo) -> Path | tuple[Path, ...]:
    """Accept one file, or a list of files, and make the paths absolute."""
    files = value if isinstance(value, list) else [value]
    if not files or len(files) > _MOST_FILES or not all(isinstance(each, str) and each.strip() for each in files):
        raise ValueError
    folder = info.context["folder"].absolute() if info.context else Path()
    paths = tuple(Path(absolute_path(each, folder)) for each in files)
    return paths if isinstance(value, list) else paths[0]


_Files = Annotated[Path | tuple[Path, ...], PlainValidator(_files, json_schema_input_type=str | list[str])]
InputFiles = Annotated[
    _Files,
    Field(
        json_schema_extra=expect("the path of a picture or video, relative to the scenario's folder, or a list of them")
    ),
]
VideoFiles = Annotated[
    _Files,
    Field(
        json_schema_extra=expect(
            "the path of a video file, relative to the scenario's folder, or with samples a list of them"
        )
    ),
]

RecordingFiles = Annotated[
    _Files,
    Field(
        json_schema_extra=expect(
            "the path of a recording, relative to the scenario's folder, or with samples a list of them"
        )
    ),
]


class Prompt(Table):
    """A prompt with its seed; every setting is tried on every prompt."""

    text: LongText | None = None
    """What the clip should show; required without inputs."""
    seed: Seed
    """The seed, for local runs and for the Space."""
    inputs: dict[InputName, InputFiles] = Field(
        {}, json_schema_extra=NAMED_INPUTS | expect('a table of files by argument, such as { image = "picture.png" }')
    )
    """Input pictures and videos: argument of the pipeline to a file, or to a list of files."""
    parts: tuple[Part, ...] | None = Field(None, strict=False)
    """Named parts of this prompt, instead of those in [semantics]."""
    private: bool = False
    """Whether the prompt's text, pictures and inputs are kept out of record and reports; numbers are shown."""
