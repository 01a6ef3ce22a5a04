"""What a shell puts into a command: variables, and the output of other commands.

A word that contains something unknown is marked, so that it is not taken for what the script receives: `"$PROMPT"` is
whatever the variable holds. Variables that the same text sets are put in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_MARK = "\ue000"
"""Stands in front of a word with an unknown part; a character of Unicode's private use, which no command contains."""
_EXPANSION = re.compile(r"\$(?:(\w+)|\{(\w+)\}|\{[^}]*\}|[@*#?])|%(\w+)%")
_PLACE = re.compile(f"{_MARK}(\\d+){_MARK}")


@dataclass(frozen=True, slots=True)
class Expansion:
    """A part of a text that a shell replaces.

    Attributes:
        text: The part, such as `${STEPS}` or `$(date +%s)`.
        variable: The variable whose value replaces it; empty for anything else.
        quoted: Whether it stands in quotation marks, so that its value is not split into words.
    """

    text: str
    variable: str
    quoted: bool


def is_unknown(word: str) -> bool:
    """Return whether a word has a part that only the shell knows."""
    return _MARK in word


def plain(word: str) -> str:
    """Return a word as the text has it."""
    return word.replace(_MARK, "")


def taken_out(text: str) -> tuple[str, list[Expansion]]:
    """Return a text in which each expansion is replaced by its place in a list, and the list.

    What stands in single quotation marks, and what a backslash precedes, is no expansion.
    """
    text = text.replace(_MARK, "")
    parts: list[str] = []
    found: list[Expansion] = []
    quote, place = "", 0
    while place < len(text):
        one = text[place]
        expansion = None
        if one == "\\" and quote != "'":
            parts.append(text[place + bool(quote and text[place + 1 : place + 2] in {"$", "`"}) : place + 2])
            place += 2
            continue
        if one in "'\"" and quote in {"", one}:
            quote = "" if quote else one
        elif one in "$`%" and quote != "'":
            expansion = _expansion_at(text, place, quoted=bool(quote))
        if expansion is None:
            parts.append(one)
            place += 1
        else:
            parts.append(f"{_MARK}{len(found)}{_MARK}")
            found.append(expansion)
            place += len(expansion.text)
    return "".join(parts), found


def _expansion_at(text: str, place: int, *, quoted: bool) -> Expansion | None:
    if text[place] == "`":
        end = text.find("`", place + 1)
        return Expansion(text[place : end + 1], "", quoted) if end > place else None
    if text.startswith("$(", place):
        return Expansion(_parenthesised(text, place + 1, text[place]), "", quoted)
    found = _EXPANSION.match(text, place)
    return Expansion(found[0], found[1] or found[2] or found[3] or "", quoted) if found else None


def _parenthesised(text: str, place: int, start: str) -> str:
    """Return a text from a parenthesis to the one that closes it, or to the end."""
    depth = 0
    for end in range(place, len(text)):
        depth += (text[end] == "(") - (text[end] == ")")
        if depth == 0:
            return start + text[place : end + 1]
    return start + text[place:]


def put_in(words: list[str], expansions: list[Expansion], variables: Mapping[str, str]) -> list[str]:
    """Return words with the values of known variables; words with anything else that is unknown are marked."""
    every: list[str] = []
    for word in words:
        only = _PLACE.fullmatch(word)
        one = expansions[int(only[1])] if only else None
        if one is not None and not one.quoted and one.variable in variables:
            every += variables[one.variable].split()
        else:
            every.append(_PLACE.sub(lambda found: _shown(expansions[int(found[1])], variables), word))
    return every


def _shown(one: Expansion, variables: Mapping[str, str]) -> str:
    return variables.get(one.variable, f"{_MARK}{one.text}")
