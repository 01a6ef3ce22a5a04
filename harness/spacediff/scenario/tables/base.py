"""What all tables share: strictness, and the words that say what is expected at a place."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from spacediff.scenario.owned import NOT_AT_LOADING, OWNED


class Table(BaseModel):
    """Base of all tables: unknown keys are mistakes, and `"3"` is not 3."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True, defer_build=True)


def expect(words: str) -> dict[str, Any]:
    """Describe in plain words what is expected at a place of the schema."""
    return {"x-expected": words}


def written_as(key: str) -> dict[str, Any]:
    """Name the key of a table that a text in its place most likely means."""
    return {"x-text-is": key}


def matching(pattern: str, words: str, **more: Any) -> Any:
    """Require a pattern of a text, described in plain words."""
    return Field(pattern=pattern, json_schema_extra=expect(words), **more)


ARGUMENT_NAME = "^[A-Za-z_][A-Za-z0-9_]*$"
"""Pattern of the name of a Python argument."""


def table_of_arguments(name: str) -> dict[str, Any]:
    """Describe a table of Python arguments: its keys are their names, except those that spacediff passes itself."""
    taken = [path.removeprefix(f"{name}.") for path in (*OWNED, *NOT_AT_LOADING) if path.startswith(f"{name}.")]
    return {"propertyNames": {"pattern": ARGUMENT_NAME, "not": {"enum": taken}}}
