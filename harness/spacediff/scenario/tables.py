"""The tables of a scenario that determine a clip, as strict models: no key is skipped and no value converted.

The key insight is that one description serves three readers: validation, the JSON Schema that editors complete from,
and the plain words of the mistakes. So the expectation for each place is written once, here, as `x-expected`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from spacediff.devices import NAME as DEVICE
from spacediff.devices import OFFLOADS, PLACEMENT, TYPES
from spacediff.hub.ids import is_repository_id
from spacediff.scenario.paths import PATH, absolute_path, is_path

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
NAME_WORDS = "a name of up to 64 letters, digits, - and _ that begins with a letter or digit"

OWNED = {
    "call.prompt": "no prompt here: it is taken from [prompts.NAME]",
    "call.generator": "no generator here: spacediff creates it from rng.seed, rng.device and rng.dtype",
    "call.callback_on_step_end": "no callback here: spacediff records every step through it",
    "call.callback_on_step_end_tensor_inputs": "no callback here: spacediff records every step through it",
    "call.output_type": "no output type here: spacediff needs the frames as the pipeline returns them",
    "call.return_dict": "no such switch here: spacediff reads the pipeline's result object",
    "load.pretrained_model_name_or_path": "no checkpoint here: it is named by model.id",
    "load.revision": "no revision here: it is set by model.revision",
    "load.variant": "no variant here: it is set by model.variant",
    "load.torch_dtype": "no dtype here: it is set by model.dtype",
    "load.dtype": "no dtype here: it is set by model.dtype",
    "load.token": "no token here, since a scenario goes into the audit: log in with `hf auth login` or set HF_TOKEN",
}
"""Arguments that spacediff passes itself, with what to do instead."""

NOT_AT_LOADING = {
    "load.device_map": "a scenario places a pipeline as a whole",
    "load.quantization_config": "a scenario loads the weights as they are",
}
"""Arguments of `from_pretrained` that a scenario cannot say yet, with the reason."""
ALL_PARTS_ALIKE = "a scenario loads all parts alike"
"""Why no table stands under `load`, such as a VAE with a dtype of its own."""

TEMPLATE = "a photo of {part}"
"""Text that a semantic model compares with the clip for a named part, as CLIP's authors do for a class."""

DETECTOR = "builtin:tiny-detector"
"""Name of the detector for the tiny model's clips."""

Precision = Literal["float32", "bfloat16", "float16"]
_HUB_ID = r"[^\s/:]+/[^\s/:]+"
"""What an editor can check of a Hub id; `is_repository_id` decides."""


class Table(BaseModel):
    """Base of all tables: unknown keys are mistakes, and `"3"` is not 3."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


def expect(words: str) -> dict[str, Any]:
    """Describe in plain words what is expected at a place of the schema."""
    return {"x-expected": words}


def _matching(pattern: str, words: str, **more: Any) -> Any:
    return Field(pattern=pattern, json_schema_extra=expect(words), **more)


def _table_of_arguments(name: str) -> dict[str, Any]:
    taken = [path.removeprefix(f"{name}.") for path in (*OWNED, *NOT_AT_LOADING) if path.startswith(f"{name}.")]
    return {"propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "not": {"enum": taken}}}


def _from_the_scenarios_folder(path: Path, info: ValidationInfo) -> Path:
    if path == Path():
        raise ValueError
    return Path(absolute_path(str(path), info.context["folder"].absolute())) if info.context else path


def _folder_or_id(model: str, info: ValidationInfo) -> str:
    if not is_path(model):
        return _builtin_or_id(model)
    return absolute_path(model, info.context["folder"].absolute()) if info.context else model


def _builtin_or_id(name: str) -> str:
    """Refuse what the Hub refuses; a name with a colon is an address or one of spacediff's own."""
    if ":" not in name and not is_repository_id(name):
        raise ValueError
    return name


def _as_list(names: Any) -> Any:
    return [names] if isinstance(names, str) else names


Title = Annotated[str, _matching(r"\S", "a text of 1 to 500 characters", max_length=500)]
LongText = Annotated[str, _matching(r"\S", "a text of 1 to 20,000 characters", max_length=20_000)]
Word = Annotated[str, _matching("^[A-Za-z0-9_./-]+$", "a name without spaces")]
Name = Annotated[str, _matching(NAME, NAME_WORDS)]
BaselineOrVariant = Annotated[str, _matching(NAME, "baseline or the name of a variant")]
ClassName = Annotated[str, _matching("^[A-Z][A-Za-z0-9_]*$", 'a class name such as "CogVideoXDPMScheduler"')]
ApiName = Annotated[str, _matching(r"^/[^\s?#]+$", 'an API name such as "/generate"')]
Placement = Annotated[
    str,
    _matching(
        f"^({PLACEMENT})$",
        f"one of {', '.join((*TYPES, *OFFLOADS))}; or one of several accelerators by number, such as cuda:1",
        examples=[*TYPES, *OFFLOADS, "cuda:1", "model_cpu_offload:1"],
    ),
]
GeneratorDevice = Annotated[
    str,
    _matching(
        f"^({DEVICE}|global)$",
        f"one of {', '.join((*TYPES, 'global'))}; or one of several accelerators by number, such as cuda:1",
        examples=[*TYPES, "global", "cuda:1"],
    ),
]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
ModelId = Annotated[
    str,
    _matching(
        rf"^(builtin:tiny-cogvideox(?:-random)?|{PATH}|{_HUB_ID})$",
        'a Hub id such as "org/name", a folder that begins with ., /, ~ or a drive, or "builtin:tiny-cogvideox"',
        examples=["builtin:tiny-cogvideox", "builtin:tiny-cogvideox-random"],
    ),
    AfterValidator(_folder_or_id),
]
SpaceId = Annotated[
    str,
    _matching(
        rf"^(builtin:tiny-space(?:-random)?|https?://[^\s/@?#]+(/[^\s@?#]*)?|{_HUB_ID})$",
        'a Space id such as "org/name", an http(s) address without password or query, or "builtin:tiny-space"',
        examples=["builtin:tiny-space", "builtin:tiny-space-random"],
    ),
    AfterValidator(_builtin_or_id),
]
ClipModelId = Annotated[
    str,
    _matching(
        rf"^(builtin:tiny-detector|{PATH}|{_HUB_ID})$",
        'a CLIP checkpoint: a Hub id such as "openai/clip-vit-large-patch14", or a folder that begins with ., /, ~ '
        "or a drive",
        examples=["openai/clip-vit-large-patch14", "builtin:tiny-detector"],
    ),
    AfterValidator(_folder_or_id),
]
Part = Annotated[str, _matching(r"\S", "a text of 1 to 200 characters", max_length=200)]
VideoPath = Annotated[
    Path,
    Field(strict=False, json_schema_extra=expect("the path of a video file, relative to the scenario's folder")),
    AfterValidator(_from_the_scenarios_folder),
]


class ModelTable(Table):
    """Which checkpoint is loaded, and as what."""

    id: ModelId | None = None
    """Hub id, folder, or `builtin:tiny-cogvideox`, also with `-random`."""
    revision: Word | None = None
    """Branch, tag or commit on the Hub."""
    dtype: Precision | None = None
    """Precision of the weights."""
    pipeline: ClassName | None = None
    """Pipeline class; the checkpoint's own by default."""
    variant: Word | None = None
    """Variant of the weight files, such as `fp16`."""


class BaselineModelTable(ModelTable):
    """Which checkpoint is loaded, and as what."""

    id: ModelId
    """Hub id, folder, or `builtin:tiny-cogvideox`, also with `-random`."""


class SchedulerTable(Table):
    """The scheduler; keys other than `class` are entries of its configuration."""

    model_config = ConfigDict(extra="allow")

    class_: ClassName | None = Field(None, alias="class")
    """Scheduler class; the checkpoint's own by default."""


class RngTable(Table):
    """Where the noise comes from."""

    seed: Seed | None = None
    """In place of the prompt's seed."""
    device: GeneratorDevice | None = None
    """Device of the generator; `global`: no generator is passed, torch.manual_seed is set instead."""
    dtype: Precision | None = None
    """Precision in which noise is drawn; the model's by default."""
    stream: Literal["torch<=2.11", "float32"] | None = None
    """Draw as torch up to 2.11 did on the CPU, or in float32; by default as the installed torch does."""


class VaeTable(Table):
    """How the latents are decoded."""

    tiling: bool | None = None
    """Decode in tiles: `enable_tiling()`."""
    slicing: bool | None = None
    """Decode one sample at a time: `enable_slicing()`."""


class NumericsTable(Table):
    """How the numbers are computed."""

    attention: Literal["math", "flash", "efficient", "cudnn"] | None = None
    """Kernel of torch's scaled dot product attention; torch's choice by default."""
    tf32: bool | None = None
    """Whether matrix products and convolutions may use TF32, unless the next two say otherwise."""
    tf32_matmul: bool | None = None
    """Whether matrix products may use TF32; not by default."""
    tf32_cudnn: bool | None = None
    """Whether cuDNN's convolutions may use TF32; they may by default."""
    deterministic: bool | None = None
    """Whether torch has to use deterministic algorithms."""
    threads: Annotated[int, Field(ge=1)] | None = None
    """CPU threads of torch."""


class OutputTable(Table):
    """How the frames become a file."""

    fps: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Frames per second."""
    quality: Annotated[float, Field(ge=0, le=10)] | None = None
    """Quality of `export_to_video`, 0 to 10."""
    rounding: Literal["round", "truncate"] | None = None
    """How float frames become bytes."""


class SettingsTables(Table):
    """The tables that determine a clip."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-hint": "; arguments of the pipeline's call go into the call table, those of from_pretrained into load"
        }
    )

    model: ModelTable | None = None
    """Which checkpoint is loaded, and as what."""
    load: dict[str, Any] = Field({}, json_schema_extra=_table_of_arguments("load"))
    """Further arguments of `from_pretrained`."""
    scheduler: SchedulerTable | None = None
    """The scheduler and its configuration."""
    call: dict[str, Any] = Field({}, json_schema_extra=_table_of_arguments("call"))
    """Arguments of the pipeline's `__call__`."""
    rng: RngTable | None = None
    """Where the noise comes from."""
    placement: Placement | None = None
    """Where the model is while it runs: on a device, or offloaded from this machine's accelerator."""
    vae: VaeTable | None = None
    """How the latents are decoded."""
    numerics: NumericsTable | None = None
    """How the numbers are computed."""
    output: OutputTable | None = None
    """How the frames become a file."""


class Baseline(SettingsTables):
    """The settings as people run them."""

    model: BaselineModelTable
    """Which checkpoint is loaded, and as what."""


class Variant(SettingsTables):
    """The baseline with named changes."""

    from_: Annotated[list[Name], BeforeValidator(_as_list, json_schema_input_type=Name | list[Name])] = Field(
        [], alias="from", json_schema_extra=expect("the name of another variant, or a list of such names")
    )
    """Other variants whose changes come first."""
    about: Title | None = None
    """A note for people."""


class Outputs(Table):
    """Positions of the endpoint's results, counted from 0."""

    video: Annotated[int, Field(ge=0)] = 0
    """Position of the video."""
    seed: Annotated[int, Field(ge=0)] | None = None
    """Position of the seed that the Space reports."""


class SpaceReference(Table):
    """A clip that a Gradio Space generates."""

    id: SpaceId
    """Space id, address, or `builtin:tiny-space`, also with `-random`."""
    endpoint: ApiName
    """API name of the endpoint."""
    inputs: dict[str, Any] = {}
    """Inputs by parameter name; "{prompt}" and "{seed}" are replaced by the prompt's text and seed."""
    outputs: Outputs = Outputs()
    """Positions of the results."""
    deadline: Annotated[float, Field(gt=0)] = 1800.0
    """Seconds to wait for one clip."""
    repeats: Annotated[int, Field(ge=1)] = 1
    """How often the same clip is fetched, to see whether the Space is deterministic."""


class VideoReference(Table):
    """A clip from a file: one for the only prompt, or one for each."""

    file: VideoPath | None = None
    """Video file for the only prompt."""
    files: dict[Name, VideoPath] = {}
    """Prompt name to video file."""


class Reference(Table):
    """What the clips are compared with; exactly one of these."""

    space: SpaceReference | None = None
    """A Gradio Space."""
    video: VideoReference | None = None
    """Video files."""
    variant: BaselineOrVariant | None = None
    """A variant of this scenario, or `baseline`."""


class Approximation(Table):
    """What the script does and the scenario does not say; `spacediff why` writes it, and an audit stops at it."""

    setting: LongText
    """Dotted path of the setting, or what it is in words."""
    value: LongText
    """What the script has there."""
    where: LongText
    """File and line of the script."""
    reason: LongText | None = None
    """Why the scenario does not say it."""


class Semantics(Table):
    """The model that measures what the clips show."""

    model: ClipModelId
    """CLIP checkpoint: a Hub id, or a folder; only safetensors are read. `builtin:tiny-detector` for the tiny model."""
    revision: Word | None = None
    """Branch, tag or commit on the Hub."""
    parts: tuple[Part, ...] = Field((), strict=False)
    """Named parts of the prompts, such as "hand"; a prompt may have its own."""
    template: Annotated[
        str, _matching(r"\{part\}", "a text of up to 200 characters with {part} in it", max_length=200)
    ] = TEMPLATE
    """Text for a part; `{part}` is replaced by its name."""
