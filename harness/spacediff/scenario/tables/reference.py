"""What the clips are compared with."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from spacediff.scenario.tables.base import ARGUMENT_NAME, Table, expect, written_as
from spacediff.scenario.tables.prompt import InputFiles, RecordingFiles, VideoFiles
from spacediff.scenario.tables.types import (
    ApiName,
    Argument,
    BaselineOrVariant,
    ClipSuffix,
    FolderPath,
    Name,
    ProgramPath,
    ProviderName,
    ScenarioFile,
    ServedModel,
    SpaceId,
    VariableName,
)

RESULTS = ("video", "image", "gallery", "file")
"""What the output with the clip may be called; exactly one is named."""
SEVERAL = ("gallery", "file")
"""Those that may have several files."""

_BY_PROMPT = expect("a table by the names of the prompts, such as { NAME = FILE }")

Position = Annotated[int, Field(ge=0)]


class Outputs(Table):
    """Positions of the endpoint's results, counted from 0; one of video, image, gallery and file has the clip."""

    video: Position | None = None
    """Position of the video; 0 by default."""
    image: Position | None = None
    """Position of the image."""
    gallery: Position | None = None
    """Position of the gallery; all its pictures are taken, in order."""
    file: Position | None = None
    """Position of the file, or of a list of files with pictures."""
    index: Position | None = None
    """Number of the one picture of the gallery or list that is taken."""
    seed: Position | None = None
    """Position of the seed that the Space reports."""
    prompt: Position | None = None
    """Position of the prompt that the Space reports, as it was rewritten."""

    @model_validator(mode="before")
    @classmethod
    def _video_by_default(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data.keys() & set(RESULTS):
            return {"video": 0, **data}
        return data


class SpaceReference(Table):
    """A clip that a Gradio Space generates."""

    model_config = ConfigDict(json_schema_extra=written_as("id"))

    id: SpaceId
    """Space id, address, or `builtin:tiny-space`, also with `-random` or `-probed`."""
    endpoint: ApiName
    """API name of the endpoint."""
    inputs: dict[str, Any] = Field(
        {}, json_schema_extra=expect('a table of its parameters, such as { prompt = "{prompt}" }')
    )
    """Inputs by parameter name; "{prompt}", "{seed}" and "{file:NAME}" are the prompt's text, seed and inputs."""
    outputs: Outputs = Outputs(video=0)
    """Positions of the results."""
    deadline: Annotated[float, Field(gt=0)] = 1800.0
    """Seconds to wait for one clip."""
    repeats: Annotated[int, Field(ge=1)] = 1
    """How often the same clip is fetched, to see whether the Space is deterministic."""


class VideoReference(Table):
    """A clip from a file: one for the only prompt, or one for each."""

    model_config = ConfigDict(json_schema_extra=written_as("file"))

    file: VideoFiles | None = None
    """Video file for the only prompt; with `samples`, a list of them."""
    files: dict[Name, VideoFiles] = Field({}, json_schema_extra=_BY_PROMPT)
    """Prompt name to video file; with `samples`, to a list of them."""


class PicturesReference(Table):
    """Pictures from files: one picture or several for the only prompt, or for each."""

    model_config = ConfigDict(json_schema_extra=written_as("file"))

    file: InputFiles | None = None
    """Picture for the only prompt, or a list of them; with `samples`, each is a sample."""
    files: dict[Name, InputFiles] = Field({}, json_schema_extra=_BY_PROMPT)
    """Prompt name to picture, or to a list of them."""


class RecordingReference(Table):
    """A call of a script that `spacediff record` has recorded: one file for the only prompt, or one for each."""

    model_config = ConfigDict(json_schema_extra=written_as("file"))

    file: RecordingFiles | None = None
    """Recording for the only prompt; with `samples`, a list of recordings, as `FILE.zip#N` for call N."""
    files: dict[Name, RecordingFiles] = Field({}, json_schema_extra=_BY_PROMPT)
    """Prompt name to recording; with `samples`, to a list of them."""
    call: Annotated[int, Field(ge=1)] | None = None
    """Number of the call, where a recording has several."""


class CommandReference(Table):
    """A clip that a program writes, which is run here: another framework, a web UI, the model's own repository."""

    run: Annotated[tuple[Argument, ...], Field(min_length=1, max_length=1000, strict=False)]
    """The program and its arguments, one text each; "{prompt}", "{seed}", "{out}" and the like are replaced."""
    folder: FolderPath | None = None
    """Its working folder; by default the scenario's."""
    python: ProgramPath | None = None
    """The interpreter that `python` stands for; by default the first one on the PATH."""
    requirements: ScenarioFile | None = None
    """Requirements of an environment that uv builds for it: packages by name, no other files."""
    env: dict[VariableName, str] = Field({})
    """Environment variables that are set for it, in addition to those of this process."""
    suffix: ClipSuffix = ".mp4"
    """Ending of the file that "{out}" names."""
    settings: dict[str, Any] = Field({})
    """What the program is known to set, by the tables of a baseline: call, scheduler, model and the like."""
    deadline: Annotated[float, Field(gt=0)] = 3600.0
    """Seconds after which it is ended."""
    repeats: Annotated[int, Field(ge=1)] = 1
    """How often it is run, to see whether it gives the same clip."""


class InferenceReference(Table):
    """A clip of an inference provider, or of an address that serves a model, through huggingface_hub."""

    task: Literal["text_to_video", "text_to_image", "image_to_video", "image_to_image"]
    """What is asked for; an image is the prompt's input `image`."""
    model: ServedModel
    """The model's id on the Hub, or the http(s) address of an endpoint, which never receives a token."""
    provider: ProviderName | None = None
    """The provider, such as `fal-ai`; of a model on the Hub it is required."""
    arguments: dict[str, Any] = Field({}, json_schema_extra={"propertyNames": {"pattern": ARGUMENT_NAME}})
    """Further arguments of the task; "{seed}" is the prompt's seed."""
    deadline: Annotated[float, Field(gt=0)] = 1800.0
    """Seconds to wait for one clip."""
    repeats: Annotated[int, Field(ge=1)] = 1
    """How often the same clip is asked for."""


class Reference(Table):
    """What the clips are compared with; exactly one of these."""

    space: SpaceReference | None = None
    """A Gradio Space."""
    video: VideoReference | None = None
    """Video files."""
    pictures: PicturesReference | None = None
    """Picture files."""
    recording: RecordingReference | None = None
    """A recorded call of a script, here or on another machine."""
    command: CommandReference | None = None
    """A program that is run here."""
    inference: InferenceReference | None = None
    """An API."""
    variant: BaselineOrVariant | None = None
    """A variant of this scenario, or `baseline`."""
    adopt: bool = True
    """Whether runs here use the seed and the prompt that a Space says it used in place of those it was sent."""
