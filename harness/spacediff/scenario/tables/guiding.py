"""How guidance acts, in pipelines that have a guider."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from spacediff.scenario.tables.base import Table, expect, matching, written_as
from spacediff.scenario.tables.types import CLASS


class GuiderTable(Table):
    """The guider of the pipeline; keys other than `class` are its options."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra=expect("a table with class and its options") | written_as("class")
    )

    class_: Annotated[str, matching(CLASS, 'a class such as "ClassifierFreeGuidance"')] | None = Field(
        None, alias="class"
    )
    """Class of the guider, such as `ClassifierFreeGuidance`; the pipeline's own by default."""
