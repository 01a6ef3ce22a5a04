"""The tables that determine a clip, and the baseline and variants that consist of them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo

from spacediff.scenario.tables.adapters import IpAdapterTable, Loras, TextualInversions
from spacediff.scenario.tables.base import ARGUMENT_NAME, Table, expect, table_of_arguments
from spacediff.scenario.tables.caching import CacheTable
from spacediff.scenario.tables.components import ComponentTable
from spacediff.scenario.tables.environment import EnvironmentTable
from spacediff.scenario.tables.generation import OutputTable, RngTable, SchedulerTable, VaeTable
from spacediff.scenario.tables.guiding import GuiderTable
from spacediff.scenario.tables.inputs import NAMED_INPUTS, InputName, InputTable
from spacediff.scenario.tables.model import BaselineModelTable, ModelTable
from spacediff.scenario.tables.numerics import NumericsTable
from spacediff.scenario.tables.types import (
    Name,
    Placement,
    ProgramPath,
    ScriptPath,
    Title,
    as_list,
    path_or_name,
)

_OF_FILES = ("config", "original_config", "custom_pipeline")
"""Arguments of loading that may be paths."""


def _with_absolute_paths(arguments: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    """Return arguments of loading with absolute paths: a scenario's begin at its folder."""
    return {
        name: path_or_name(value, info) if name in _OF_FILES and isinstance(value, str) else value
        for name, value in arguments.items()
    }


def _arguments_or_number(value: Any) -> Any:
    is_number = isinstance(value, int) and not isinstance(value, bool) and value > 0
    if not is_number and not isinstance(value, dict):
        raise ValueError
    return value


_ARGUMENTS_OR_NUMBER = {
    **table_of_arguments("call"),
    "type": ["object", "integer"],
    "additionalProperties": True,
    "minimum": 1,
    **expect("a table of arguments, such as { num_frames = 49 }; with a script, the number of its call, from 1"),
}


class SettingsTables(Table):
    """The tables that determine a clip."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-hint": "; arguments of the pipeline's call go into the call table, those of from_pretrained into load"
        }
    )

    model: ModelTable | None = None
    """Which checkpoint is loaded, and as what."""
    load: Annotated[dict[str, Any], AfterValidator(_with_absolute_paths)] = Field(
        {},
        json_schema_extra=table_of_arguments("load")
        | expect("a table of arguments, such as { use_safetensors = true }"),
    )
    """Further arguments of `from_pretrained`."""
    components: dict[str, ComponentTable] = Field(
        {},
        json_schema_extra={
            "propertyNames": {"pattern": ARGUMENT_NAME},
            **expect('tables by name, such as { vae = { id = "org/name" } }'),
        },
    )
    """Components that are loaded separately, by name; `"none"`: loaded without it."""
    lora: Loras | None = None
    """LoRA weights, in the order in which they are loaded."""
    textual_inversion: TextualInversions | None = None
    """Textual inversions by name."""
    ip_adapter: IpAdapterTable | None = None
    """The IP adapter."""
    scheduler: SchedulerTable | None = None
    """The scheduler and its configuration."""
    call: dict[str, Any] = Field(
        {}, json_schema_extra=table_of_arguments("call") | expect("a table of arguments, such as { num_frames = 49 }")
    )
    """Arguments of the pipeline's `__call__`."""
    inputs: dict[InputName, InputTable] = Field(
        {}, json_schema_extra=NAMED_INPUTS | expect('tables by name, such as { image = { resize = "cover" } }')
    )
    """How input pictures and videos are prepared: argument of the pipeline to its settings."""
    rng: RngTable | None = None
    """Where the noise comes from."""
    placement: Placement | None = None
    """Where the model is while it runs: on a device, or offloaded from this machine's accelerator."""
    guider: GuiderTable | None = None
    """How guidance acts, in pipelines that have a guider."""
    cache: CacheTable | None = None
    """Which parts of the denoiser are skipped."""
    vae: VaeTable | None = None
    """How the latents are decoded."""
    numerics: NumericsTable | None = None
    """How the numbers are computed."""
    output: OutputTable | None = None
    """How the frames become a file."""
    env: EnvironmentTable | None = None
    """Versions of libraries: the run happens in an environment of its own, which uv builds."""


class Baseline(SettingsTables):
    """The settings as people run them."""

    model: BaselineModelTable | None = None
    """Which checkpoint is loaded, and as what."""
    script: ScriptPath | None = None
    """A script of yours that is run in place of all other settings; with args, call and python."""
    args: tuple[str, ...] = Field((), strict=False)
    """Arguments of the script."""
    call: Annotated[Any, AfterValidator(_arguments_or_number)] = Field({}, json_schema_extra=_ARGUMENTS_OR_NUMBER)
    """Arguments of the pipeline's `__call__`; with a script, the number of its call, from 1."""
    python: ProgramPath | None = None
    """The interpreter of the script; by default that of spacediff."""


class Variant(SettingsTables):
    """The baseline with named changes."""

    from_: Annotated[list[Name], BeforeValidator(as_list, json_schema_input_type=Name | list[Name])] = Field(
        [], alias="from", json_schema_extra=expect("the name of another variant, or a list of such names")
    )
    """Other variants whose changes come first."""
    about: Title | None = None
    """A note for people."""
