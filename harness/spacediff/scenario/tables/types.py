"""The types of single values: names, ids, devices, paths."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo

from spacediff.devices import NAME as DEVICE
from spacediff.devices import OFFLOADS, PLACEMENT, TYPES
from spacediff.hub.ids import is_repository_id
from spacediff.scenario.paths import PATH, absolute_path, is_path
from spacediff.scenario.tables.base import expect, matching

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
NAME_WORDS = "a name of up to 64 letters, digits, - and _ that begins with a letter or digit"

Precision = Literal["float32", "bfloat16", "float16"]
HUB_ID = r"[^\s/:]+/[^\s/:]+"
"""What an editor can check of a Hub id; `is_repository_id` decides."""
HUB_ID_OR_PATH = rf"({PATH}|{HUB_ID})$"
"""Pattern of the end of a text that is a path or may be a Hub id."""


def _from_the_scenarios_folder(path: Path, info: ValidationInfo) -> Path:
    if path == Path():
        raise ValueError
    return Path(absolute_path(str(path), info.context["folder"].absolute())) if info.context else path


def _python_file(path: Path) -> Path:
    if path.suffix not in {".py", ".ipynb"}:
        raise ValueError
    return path


def folder_or_id(model: str, info: ValidationInfo) -> str:
    """Make a path absolute, from the scenario's folder; refuse an id that the Hub refuses."""
    if not is_path(model):
        return _builtin_or_id(model)
    return absolute_path(model, info.context["folder"].absolute()) if info.context else model


def _builtin_or_id(name: str) -> str:
    """Refuse what the Hub refuses; a name with a colon is an address or one of spacediff's own."""
    if ":" not in name and not is_repository_id(name):
        raise ValueError
    return name


def path_or_name(file: str, info: ValidationInfo) -> str:
    """Return a path as an absolute one; a name in a repository stays as it is."""
    return absolute_path(file, info.context["folder"].absolute()) if info.context and is_path(file) else file


def _drift_or(words: Any) -> PlainValidator:
    """Accept a drift from 0 to 1, or one of the words of a `Literal`."""

    def check(value: Any) -> Any:
        is_drift = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
        if not is_drift and value not in get_args(words):
            raise ValueError
        return float(value) if is_drift else value

    return PlainValidator(check, json_schema_input_type=words | Annotated[float, Field(ge=0, le=1)])


def as_list(names: Any) -> Any:
    """Accept one name where a list of names is expected."""
    return [names] if isinstance(names, str) else names


Title = Annotated[str, matching(r"\S", "a text of 1 to 500 characters", max_length=500)]
LongText = Annotated[str, matching(r"\S", "a text of 1 to 20,000 characters", max_length=20_000)]
Word = Annotated[str, matching("^[A-Za-z0-9_./-]+$", "a name without spaces")]
Subfolder = Annotated[
    str,
    matching(
        r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$",
        'a folder inside the folder or repository, such as "models" or "a/b"',
    ),
]
Name = Annotated[str, matching(NAME, NAME_WORDS)]
BaselineOrVariant = Annotated[str, matching(NAME, "baseline or the name of a variant")]
CLASS = "^[A-Z][A-Za-z0-9_]*$"
"""Pattern of the name of a class."""
ApiName = Annotated[str, matching(r"^/[^\s?#]+$", 'an API name such as "/generate"')]
Placement = Annotated[
    str,
    matching(
        f"^({PLACEMENT})$",
        f"one of {', '.join((*TYPES, *OFFLOADS))}; or one of several accelerators by number, such as cuda:1",
        examples=[*TYPES, *OFFLOADS, "cuda:1", "model_cpu_offload:1"],
    ),
]
GeneratorDevice = Annotated[
    str,
    matching(
        f"^({DEVICE}|global)$",
        f"one of {', '.join((*TYPES, 'global'))}; or one of several accelerators by number, such as cuda:1",
        examples=[*TYPES, "global", "cuda:1"],
    ),
]
Tolerance = Annotated[
    Literal["codec", "gate"] | float,
    _drift_or(Literal["codec", "gate"]),
    Field(json_schema_extra=expect('"codec", "gate" or a drift from 0 to 1'), examples=["codec", "gate"]),
]
TileLimit = Annotated[
    Literal["none"] | float,
    _drift_or(Literal["none"]),
    Field(json_schema_extra=expect('"none" or a drift from 0 to 1'), examples=["none"]),
]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]
ModelId = Annotated[
    str,
    matching(
        rf"^(builtin:tiny-cogvideox(?:-random)?|{PATH}|{HUB_ID})$",
        'a Hub id such as "org/name", a folder that begins with ., /, ~ or a drive, or "builtin:tiny-cogvideox"',
        examples=["builtin:tiny-cogvideox", "builtin:tiny-cogvideox-random"],
    ),
    AfterValidator(folder_or_id),
]
ComponentId = Annotated[
    str,
    matching(rf"^({PATH}|{HUB_ID})$", 'a Hub id such as "org/name", or a folder that begins with ., /, ~ or a drive'),
    AfterValidator(folder_or_id),
]
SpaceId = Annotated[
    str,
    matching(
        rf"^(builtin:tiny-space(?:-(?:random|probed))?|https?://[^\s/@?#]+(/[^\s@?#]*)?|{HUB_ID})$",
        'a Space id such as "org/name", an http(s) address without password or query, or "builtin:tiny-space"',
        examples=["builtin:tiny-space", "builtin:tiny-space-random", "builtin:tiny-space-probed"],
    ),
    AfterValidator(_builtin_or_id),
]
ClipModelId = Annotated[
    str,
    matching(
        rf"^(builtin:tiny-detector|{PATH}|{HUB_ID})$",
        'a CLIP checkpoint: a Hub id such as "openai/clip-vit-large-patch14", or a folder that begins with ., /, ~ '
        "or a drive",
        examples=["openai/clip-vit-large-patch14", "builtin:tiny-detector"],
    ),
    AfterValidator(folder_or_id),
]
Part = Annotated[str, matching(r"\S", "a text of 1 to 200 characters", max_length=200)]
FolderPath = Annotated[
    Path,
    Field(strict=False, json_schema_extra=expect("the path of a folder, relative to the scenario's folder")),
    AfterValidator(_from_the_scenarios_folder),
]
ScenarioFile = Annotated[
    Path,
    Field(strict=False, json_schema_extra=expect("the path of a file, relative to the scenario's folder")),
    AfterValidator(_from_the_scenarios_folder),
]
ProgramPath = Annotated[
    Path,
    Field(
        strict=False,
        json_schema_extra=expect(
            "the path of a Python interpreter, such as .venv/bin/python, from the scenario's folder"
        ),
    ),
    AfterValidator(_from_the_scenarios_folder),
]
Argument = Annotated[str, Field(max_length=20_000, json_schema_extra=expect("a text of at most 20,000 characters"))]
VariableName = Annotated[str, matching("^[A-Za-z_][A-Za-z0-9_]*$", "the name of an environment variable")]
ClipSuffix = Literal[".mp4", ".mkv", ".mov", ".webm", ".avi", ".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif"]
ScriptPath = Annotated[
    Path,
    Field(strict=False, json_schema_extra=expect("the path of a .py file or a notebook, from the scenario's folder")),
    AfterValidator(_python_file),
    AfterValidator(_from_the_scenarios_folder),
]
ServedModel = Annotated[
    str,
    matching(
        rf"^(https?://[^\s/@?#]+(/[^\s@?#]*)?|{HUB_ID})$",
        'a Hub id such as "org/name", or an http(s) address without password or query',
    ),
    AfterValidator(_builtin_or_id),
]
ProviderName = Annotated[str, matching("^[a-z0-9][a-z0-9-]*$", 'the name of a provider, such as "fal-ai"')]
