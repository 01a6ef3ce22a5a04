"""A fact: a kind with its numbers and names, of which `spacediff.wording` makes a sentence.

The record holds no English of its own making: a program reads the kind and the values, a person the sentence. Each kind
names its values here, so that whoever makes a fact cannot leave one out, and whoever words it knows what is there.
"""

from __future__ import annotations

import math
from enum import StrEnum
from types import NoneType
from typing import Any, Self

from pydantic import JsonValue, field_validator, model_validator

from spacediff.record.base import Record

_Types = tuple[type, ...]
_TEXT: _Types = (str,)


class FactKind(StrEnum):
    """The kinds, by subject; each with its values, name to type."""

    def __new__(cls, value: str, values: dict[str, _Types]) -> Self:
        """Make a member: what `audit.json` calls it, and the values that it has."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.values = values
        return member

    values: dict[str, _Types]

    # what comes from outside: an error of a library, a Space's answer, a sentence of an older record
    TEXT = "text", {"text": _TEXT}


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
    def _writable(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {name: "inf" if isinstance(v, float) and math.isinf(v) else v for name, v in values.items()}

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wanted = self.kind.values
        if self.values.keys() != wanted.keys():
            raise ValueError(f"{self.kind} has the values {sorted(wanted)}, not {sorted(self.values)}")
        for name, types in wanted.items():
            value = self.values[name]
            infinite = value == "inf" and float in types
            if not (infinite or isinstance(value, types)) or (isinstance(value, bool) and bool not in types):
                names = " or ".join("null" if each is NoneType else each.__name__ for each in types)
                raise ValueError(f"{self.kind}: {name} has to be {names}, not {value!r}")
        return self


def fact(kind: FactKind, *because: Fact, **values: Any) -> Fact:
    """Return a fact of a kind with its values, and what it rests on."""
    return Fact(kind=kind, values=values, because=[*because])
