"""Any fact as a sentence: what its subject's module says of its kind, then what it rests on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from spacediff.record import Fact, FactKind

_Words = TypeVar("_Words", bound=Callable[..., str])
_ENDS = (".", "!", "?", "…")
_SMALL_WORDS = re.compile("(A|An|At|Both|Clips|Every|From|It|None|Nothing|One|Only|The|There|This|With|Without)\\b")
"""First words of sentences that are no names, so that they are written small behind a colon."""

WORDS: dict[FactKind, Callable[..., str]] = {FactKind.TEXT: lambda *, text: text}
"""What is said of a fact of each kind, from its values; without what it rests on."""


def says(kind: FactKind) -> Callable[[_Words], _Words]:
    """Register a function as the words of a kind: it takes the kind's values by name."""

    def registered(words: _Words) -> _Words:
        WORDS[kind] = words
        return words

    return registered


def sentence(fact: Fact) -> str:
    """Word a fact; what it rests on follows behind a colon."""
    said = WORDS[fact.kind](**fact.values)
    if fact.because:
        return f"{said.rstrip('.:')}: {after_colon(paragraph(fact.because))}"
    return said if said.endswith(_ENDS) or not said else f"{said}."


def after_colon(text: str) -> str:
    """Word a text as it stands behind a colon: a small first letter, where the first word is no name."""
    return text[:1].lower() + text[1:] if _SMALL_WORDS.match(text) else text


def sentences(facts: Iterable[Fact]) -> list[str]:
    """Word facts, one sentence each."""
    return [sentence(fact) for fact in facts]


def paragraph(facts: Iterable[Fact]) -> str:
    """Word facts one after the other, as one text."""
    return " ".join(sentences(facts))
