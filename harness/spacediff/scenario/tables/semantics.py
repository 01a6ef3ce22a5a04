"""The model that measures what the clips show."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from spacediff.scenario.tables.base import Table, matching, written_as
from spacediff.scenario.tables.types import ClipModelId, Part, Word

TEMPLATE = "a photo of {part}"
"""Text that a semantic model compares with the clip for a named part, as CLIP's authors do for a class."""

DETECTOR = "builtin:tiny-detector"
"""Name of the detector for the tiny model's clips."""


class Semantics(Table):
    """The model that measures what the clips show."""

    model_config = ConfigDict(json_schema_extra=written_as("model"))

    model: ClipModelId
    """CLIP checkpoint: a Hub id, or a folder; only safetensors are read. `builtin:tiny-detector` for the tiny model."""
    revision: Word | None = None
    """Branch, tag or commit on the Hub."""
    parts: tuple[Part, ...] = Field((), strict=False)
    """Named parts of the prompts, such as "hand"; a prompt may have its own."""
    template: Annotated[
        str, matching(r"\{part\}", "a text of up to 200 characters with {part} in it", max_length=200)
    ] = TEMPLATE
    """Text for a part; `{part}` is replaced by its name."""
