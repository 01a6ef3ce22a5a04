"""Private words: quotes of a private text, found in other texts however they are written or cut.

The key insight is that a quote keeps the words and little else: a file name joins them with underscores, a URL
percent-encodes them, a message wraps or cuts them. So both texts are reduced to words, without case, marks and escapes;
in scripts without spaces between words each letter is one. A quote is then a few consecutive words of the private text,
of which the first and the last may be cut.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any

_WORDS_IN_A_ROW = 4
_SHORTEST = 8
"""Letters; a shorter private text may be a word of our own, and is removed only where it is known to be."""
_UNSPACED_WEIGHT = 3
"""How many letters one letter of a script without spaces counts for."""
_OURS = frozenset({
    "accepted", "baseline", "candidate", "declared", "different", "diffusers", "identical", "interrupted", "observed",
    "reference", "settings",
})  # fmt: skip
"""Long words that every record contains; one of them by itself is no secret."""
_ESCAPES = re.compile(
    r"(?:%(?:25)*[0-9a-f]{2})+|\\+u[0-9a-f]{4}|\\+x[0-9a-f]{2}|\\+[nrt]|&(?:\#\d{1,7}|\#x[0-9a-f]{1,6}|[a-z]{2,8});",
    re.IGNORECASE,
)
"""Letters in the escaped form of URLs, JSON, Python or HTML."""
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese."""


@dataclass(frozen=True)
class _Word:
    """A word of a text: its folded form and its position."""

    folded: str
    start: int
    end: int


_Texts = frozenset[tuple[str, ...]]
_private: ContextVar[_Texts] = ContextVar("private", default=frozenset())


@contextmanager
def private(texts: Iterable[str] = ()) -> Iterator[None]:
    """Within the block, redaction removes these texts and any four consecutive words of them.

    Texts that `keep_private` adds within the block are removed until its end, too.
    """
    before = _private.set(_private.get())
    keep_private(texts)
    try:
        yield
    finally:
        _private.reset(before)


def keep_private(texts: Iterable[str]) -> None:
    """Remove these texts from now until the end of the enclosing block of `private`."""
    found = (tuple(word.folded for word in _words(text)) for text in texts)
    _private.set(_private.get() | {words for words in found if _is_long_enough(words)})


def private_texts() -> tuple[str, ...]:
    """Return the words of each private text, for another process that has to remove it before it cuts a text."""
    return tuple(sorted(" ".join(words) for words in _private.get()))


def texts_in(value: Any) -> Iterator[str]:
    """Yield the texts of a setting's value: the value itself, or the texts of its items."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)


def texts_of_arguments(arguments: Iterable[str]) -> Iterator[str]:
    """Yield the arguments of a command line that may be prompts: the value of an option so named, and any sentence."""
    before = ""
    for argument in arguments:
        name, _, value = argument.partition("=") if argument.startswith("-") else (before, "", argument)
        if value and ("prompt" in name or name == "-p" or not value.isascii() or " " in value.strip()):
            yield value
        before = argument if argument.startswith("-") and not value else ""


def without_private(text: str) -> str:
    """Return a text with `[private]` in place of each quote of a private text."""
    texts = _private.get()
    if not texts:
        return text
    spans: list[tuple[int, int]] = []
    for words in (_words(text), _words(text, escaped=False)):
        folded = [word.folded for word in words]
        for first, past in _merged(span for each in texts for span in _quotes(folded, each)):
            spans.append((words[first].start, words[past - 1].end))
    for start, end in reversed(_merged(spans)):
        text = f"{text[:start]}[private]{text[end:]}"
    return text


def _is_long_enough(words: tuple[str, ...]) -> bool:
    letters = sum(_UNSPACED_WEIGHT if _UNSPACED.match(word) else len(word) for word in words)
    return letters >= _SHORTEST and not (len(words) == 1 and words[0] in _OURS)


def _quotes(words: list[str], text: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each quote of a text among words."""
    places = defaultdict(list)
    for place, word in enumerate(text):
        places[word].append(place)
    enough = min(_WORDS_IN_A_ROW, len(text))
    for n, word in enumerate(words):
        for place in places.get(word, ()):
            if n and place and words[n - 1] == text[place - 1]:
                continue  # part of the quote from the previous word
            length = 1
            while n + length < len(words) and place + length < len(text) and words[n + length] == text[place + length]:
                length += 1
            before = n > 0 and place > 0 and _is_cut(text[place - 1], words[n - 1], end=True)
            last, after = n + length, place + length
            follows = last < len(words) and after < len(text) and _is_cut(text[after], words[last], end=False)
            if length + before + follows >= enough:
                yield n - before, last + follows


def _is_cut(word: str, piece: str, *, end: bool) -> bool:
    return word.endswith(piece) if end else word.startswith(piece)


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans in order, with adjacent and overlapping ones merged."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _words(text: str, *, escaped: bool = True) -> list[_Word]:
    """Return the words of a text; with `escaped`, escape sequences are read as what they mean."""
    words: list[_Word] = []
    letters, start, end = "", 0, 0
    for letter, at, past in [*_letters(text, escaped=escaped), (" ", len(text), len(text))]:
        folded = _folded(letter)
        if folded is None:
            continue
        is_word = bool(_UNSPACED.match(folded))
        if letters and (not folded or is_word):
            words.append(_Word(letters, start, end))
            letters = ""
        if is_word:
            words.append(_Word(folded, at, past))
        elif folded:
            start = start if letters else at
            letters, end = letters + folded, past
    return words


def _letters(text: str, *, escaped: bool) -> Iterator[tuple[str, int, int]]:
    """Yield each letter with its start and end in the text."""
    at = 0
    for found in _ESCAPES.finditer(text) if escaped else ():
        yield from ((text[n], n, n + 1) for n in range(at, found.start()))
        yield from ((letter, *found.span()) for letter in _unescaped(found[0]))
        at = found.end()
    yield from ((text[n], n, n + 1) for n in range(at, len(text)))


def _unescaped(spelling: str) -> str:
    if spelling.startswith("%"):
        code = re.sub("%(?:25)+(?=[0-9A-Fa-f]{2})", "%", spelling)
        return bytes.fromhex(code.replace("%", "")).decode("utf-8", errors="replace")
    if spelling.startswith("&"):
        return html.unescape(spelling)
    code = spelling.lstrip("\\")
    return chr(int(code[1:], 16)) if code[1:] else " "


@cache
def _folded(letter: str) -> str | None:
    """Return a letter without case, width and marks; an empty text for a word separator, None for a joiner or mark."""
    if unicodedata.category(letter)[0] == "M" or unicodedata.category(letter) == "Cf":
        return None
    bare = unicodedata.normalize("NFKD", letter.casefold())
    return "".join(each for each in bare if each.isalnum()).casefold()
