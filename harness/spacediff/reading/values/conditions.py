"""Conditions as text, in the words of the source: how they combine, and their opposites."""

from __future__ import annotations

import re
from functools import lru_cache

_LONGEST = 80
"""Characters of a combined condition; a longer one is not shown."""
_OPPOSITES = {"==": "!=", "is": "is not", "in": "not in"}
_SIGNS = {opposite: sign for sign, opposite in _OPPOSITES.items()}
_COMPARISON = re.compile(r"""([\w.]+) (==|!=|is not|is|not in|in) (-?[\w.]+|"[^"]*"|'[^']*')""")
_CONSTANT = re.compile(r"""["'\-\d]""")
"""How a text or a number begins."""
_COMBINED = re.compile(r" (and|or|if) ")
_ATOM = re.compile(r"[\w.]+(\([\w.,= ]*\))?")


def all_of(outer: str, inner: str) -> str:
    """Return the condition that both of two hold; an empty one always does."""
    if not outer or not inner:
        return outer or inner
    parts = list(dict.fromkeys([*_conjuncts(outer), *_conjuncts(inner)]))
    fixed = {found[1] for part in parts if (found := _COMPARISON.fullmatch(part)) and found[2] == "=="}
    text = " and ".join(part for part in parts if not _is_implied(part, fixed))
    return text if len(text) <= _LONGEST else inner


def _is_implied(part: str, fixed: set[str]) -> bool:
    """Return whether a condition says that something is not one value, while another one says which value it is."""
    found = _COMPARISON.fullmatch(part)
    return found is not None and found[2] == "!=" and found[1] in fixed


def any_of(left: str, right: str) -> str:
    """Return the condition that one of two holds; empty if one of them always does."""
    if left == right or not (left and right):
        return left if left == right else ""
    if right == opposite(left):
        return ""
    kept: list[str] = []
    for part in dict.fromkeys([*_split(left, " or "), *_split(right, " or ")]):
        conjuncts = {*_split(part, " and ")}
        if not any(conjuncts >= {*_split(other, " and ")} for other in kept):
            kept = [*(other for other in kept if not {*_split(other, " and ")} >= conjuncts), part]
    text = " or ".join(kept)
    return text if len(text) <= _LONGEST else ""


def opposite(condition: str) -> str:
    """Return the condition that another one does not hold."""
    if not condition:
        return ""
    bare = condition.removeprefix("not ")
    if bare != condition and (_is_in_brackets(bare) or not _COMBINED.search(bare)):
        return bare[1:-1] if _is_in_brackets(bare) else bare
    comparison = _COMPARISON.fullmatch(condition)
    if comparison:
        left, sign, right = comparison.groups()
        return f"{left} {_OPPOSITES.get(sign) or _SIGNS[sign]} {right}"
    return f"not {condition}" if _ATOM.fullmatch(condition) else f"not ({condition})"


def contradict(left: str, right: str) -> bool:
    """Return whether two conditions cannot both hold, as far as their words show."""
    if not left or not right:
        return False
    theirs = {right, *_conjuncts(right)}
    if opposite(left) in theirs or any(opposite(one) in theirs for one in _conjuncts(left)):
        return True
    ours, others = _constants_in(_conjuncts(left)), _constants_in(_conjuncts(right))
    return any(name in others and others[name] != value for name, value in ours.items())


def _constants_in(parts: tuple[str, ...]) -> dict[str, str]:
    """Return each name that a condition compares with a constant, if they are to be equal."""
    found = [_COMPARISON.fullmatch(part) for part in parts]
    return {one[1]: one[3].strip("\"'") for one in found if one and one[2] == "==" and _CONSTANT.match(one[3])}


@lru_cache(maxsize=1024)
def _conjuncts(condition: str) -> tuple[str, ...]:
    """Return the parts of a condition that are joined by `and`; alternatives count as one part, in brackets."""
    parts = _split(condition, " or ")
    return (f"({condition})",) if len(parts) > 1 else tuple(_split(condition, " and "))


def _split(text: str, word: str) -> list[str]:
    """Split a text at a word outside all brackets."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0 and place >= start and text.startswith(word, place):
            parts.append(text[start:place])
            start = place + len(word)
    return [*parts, text[start:]]


def _is_in_brackets(text: str) -> bool:
    """Return whether the first bracket of a text is closed by its last character."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[0] == "(" and place == len(text) - 1
    return False
