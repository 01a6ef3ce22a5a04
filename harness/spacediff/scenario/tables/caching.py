"""Which parts of the denoiser are skipped, and reused from an earlier step."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from spacediff.scenario.tables.base import Table, expect, matching, written_as
from spacediff.scenario.tables.types import CLASS

FOR_CALLBACKS = "_callback"
"""End of the names of options that take a function, which a scenario cannot say."""


class CacheTable(Table):
    """A cache of diffusers for the denoiser; keys other than `class` are options of its class."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra=expect("a table with class and its options") | written_as("class")
    )

    class_: Annotated[str, matching(CLASS, 'a class such as "FirstBlockCacheConfig"')] | None = Field(
        None, alias="class"
    )
    """Class of its configuration, such as `FirstBlockCacheConfig`."""
