"""Words that spacediff does not use, with the plain ones that take their place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

DIALECT: dict[str, str] = {
    r"h(?:old|olds|olding|eld) [^.;:|]{0,60}\bagainst": "compare with",
    r"parted|partings?": "diverge, divergence, differ",
    r"parts? (?:from|ways|at step|by)|first parts?|what parts|part company": "diverge, differ",
    r"tells?|told|telling": "report, say, show; known, unknown",
    r"may be anything|innocents?": "makes no difference",
    r"t(?:ake|akes|ook|aken|aking) off": "reduce",
    r"hid(?:es|ing|den|e) (?:all )?the rest": "masks the others",
    r"mends?|mended|mending": "fix",
    r"matched end|other end": "target",
    r"reach(?:es|ed|ing)? the (?:reference|space|clip)": "reproduces (the target)",
    r"as far as another seed": "no closer than a different seed",
    r"than (?:what )?the codec does": "larger than the codec's own loss",
    r"gate (?:holds|held|hold)|gate does not hold": "gate passed, gate failed",
    r"(?:cannot|could not|was not to|is not to) be had": "is unavailable",
    r"mistakes? of (?:its|our) own|a mistake of spacediff": "internal error",
    r"anew": "again, regenerate",
    r"forgets?|forgot": "discard",
    r"hosts?|hosted side": "the Space",
    r"heeds?|heeded|heeding|heard|hearer": "raise_if_interrupted, use",
    r"carr(?:y|ies|ied) (?:\w+ )?out": "execute, run",
    r"yardsticks?": "scale",
    r"obstacles?": "failure",
    r"strangers?": "untrusted",
}
"""Pattern, for whole words in any case, to what is written instead."""

_PATTERNS = [(re.compile(rf"\b(?:{words})\b", re.IGNORECASE), instead) for words, instead in DIALECT.items()]
_NAMES = re.compile(r"host names?|GITHUB_\w+|https?://\S+")
"""Where a word of the list is the usual technical one."""


def dialect_in(text: str, allowed: Collection[str] = ()) -> list[str]:
    """List the words of a text that are to be replaced: line, words, and what to write instead.

    Args:
        text: Any text. A phrase is also found where a line break is inside it.
        allowed: Phrases that are right where they stand.
    """
    return list(_found(text, allowed))


def _found(text: str, allowed: Collection[str]) -> Iterator[str]:
    kept = _NAMES.sub(lambda name: " " * len(name[0]), text)
    for phrase in allowed:
        kept = kept.replace(phrase, " " * len(phrase))
    for pattern, instead in _PATTERNS:
        for found in pattern.finditer(re.sub(r"\s", " ", kept)):
            line = text.count("\n", 0, found.start()) + 1
            yield f"line {line}: {found[0]!r}, better: {instead}"
