"""A fact: a kind with its numbers and names, of which `spacediff.wording` makes a sentence.

A program reads the kind and the values, a person the sentence. What a comparison, the search or the gate finds is a
fact; the notes on one run (its reason, hint and warnings, the advice on an ignored argument) are texts. The kinds
are in `fact_kinds`.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Self

from pydantic import (
    ConfigDict,
    JsonValue,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from spacediff.record.base import Record
from spacediff.record.fact_kinds import FactKind


@cache
def _checker(of: Any) -> TypeAdapter[Any]:
    return TypeAdapter(of, config=ConfigDict(strict=True))


class Fact(Record):
    """One fact.

    Attributes:
        kind: What it is.
        values: Its numbers and names, by the names that the kind has for them; an infinite number is `"inf"`.
        because: What it rests on.
    """

    kind: FactKind
    values: dict[str, JsonValue] = {}
    because: list[Fact] = []

    @field_validator("values", mode="before")
    @classmethod
    def _read(cls, values: Any, info: ValidationInfo) -> Any:
        """Read `"inf"` as the number where the kind has a number, since JSON has no infinity."""
        kind = info.data.get("kind")
        if kind is None or not isinstance(values, dict):
            return values
        numbers = {name for name, of in kind.values.items() if of in (float, float | None)}
        return {name: math.inf if value == "inf" and name in numbers else value for name, value in values.items()}

    @field_serializer("values", when_used="json")
    def _written(self, values: dict[str, JsonValue]) -> dict[str, JsonValue]:
        return {name: "inf" if value == math.inf else value for name, value in values.items()}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wanted = self.kind.values
        if self.values.keys() != wanted.keys():
            raise ValueError(f"{self.kind} has the values {sorted(wanted)}, not {sorted(self.values)}")
        for name, of in wanted.items():
            try:
                _checker(of).validate_python(self.values[name])
            except ValidationError as error:
                first = error.errors()[0]
                raise ValueError(f"{self.kind}: {name}: {first['msg']}, not {self.values[name]!r}") from error
        return self


def fact(kind: FactKind, *because: Fact, **values: Any) -> Fact:
    """Return a fact of a kind with its values, and what it rests on."""
    return Fact(kind=kind, values=values, because=[*because])


def quoted(said: str) -> Fact:
    """Return what somebody else said, such as a library's error, as a fact."""
    return fact(FactKind.TEXT, text=said)
