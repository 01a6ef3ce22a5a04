"""Which checkpoint is loaded."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict

from spacediff.scenario.tables.base import Table, matching, written_as
from spacediff.scenario.tables.types import CLASS, ModelId, Precision, Word


class ModelTable(Table):
    """Which checkpoint is loaded, and as what."""

    model_config = ConfigDict(json_schema_extra=written_as("id"))

    id: ModelId | None = None
    """Hub id, folder, or `builtin:tiny-cogvideox`, also with `-random`."""
    revision: Word | None = None
    """Branch, tag or commit on the Hub."""
    dtype: Precision | None = None
    """Precision of the weights."""
    pipeline: Annotated[str, matching(CLASS, 'a pipeline class such as "WanPipeline"')] | None = None
    """Pipeline class; the checkpoint's own by default."""
    variant: Word | None = None
    """Variant of the weight files, such as `fp16`."""


class BaselineModelTable(ModelTable):
    """Which checkpoint is loaded, and as what."""

    id: ModelId
    """Hub id, folder, or `builtin:tiny-cogvideox`, also with `-random`."""
