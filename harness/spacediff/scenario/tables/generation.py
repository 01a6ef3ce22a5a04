"""How a loaded pipeline generates: scheduler, noise, VAE, and how its frames become a file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from spacediff.scenario.tables.base import Table, expect, matching, written_as
from spacediff.scenario.tables.types import CLASS, GeneratorDevice, Precision, Seed

SchedulerClass = Annotated[str, matching(CLASS, 'a scheduler class such as "CogVideoXDPMScheduler"')]


class SchedulerTable(Table):
    """The scheduler; keys other than `class` are entries of its configuration."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra=expect("a table with class and entries of its configuration") | written_as("class"),
    )

    class_: SchedulerClass | None = Field(None, alias="class")
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


def _switch_or_size(value: Any) -> Any:
    if not isinstance(value, bool) and not (isinstance(value, int | float) and value > 0):
        raise ValueError
    return value


TileSize = Annotated[
    Any, AfterValidator(_switch_or_size), Field(json_schema_extra=expect("a number above 0, or true or false"))
]


class VaeTable(Table):
    """How the latents are decoded; keys other than these are the sizes of its tiles and the like."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra=expect("a table with the keys dtype, tiling, slicing, or sizes of its tiles"),
    )
    __pydantic_extra__: dict[str, TileSize]

    dtype: Precision | None = None
    """Precision in which the VAE is loaded; the model's by default."""
    tiling: bool | None = None
    """Decode in tiles: `enable_tiling()`."""
    slicing: bool | None = None
    """Decode one sample at a time: `enable_slicing()`."""


class OutputTable(Table):
    """How the frames become a file."""

    fps: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Frames per second."""
    quality: Annotated[float, Field(ge=0, le=10)] | None = None
    """Quality of `export_to_video`, 0 to 10."""
    rounding: Literal["round", "truncate"] | None = None
    """How float frames become bytes."""
