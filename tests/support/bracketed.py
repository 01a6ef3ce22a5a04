"""A language that puts every message into brackets: whatever else a page says, no catalogue can translate."""

from __future__ import annotations

import re
from enum import Enum
from gettext import NullTranslations
from html.parser import HTMLParser
from typing import Any

from spacediff.catalogue.lookup import known_cause
from spacediff.record.base import Record

# ---- the language, and records in letters that no English is written in


class Bracketed(NullTranslations):
    """Puts every message into brackets, and remembers it."""

    def __init__(self) -> None:
        super().__init__()
        self.said: set[str] = set()

    def gettext(self, message: str) -> str:
        self.said.add(message)
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        self.said |= {msgid1, msgid2}
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"

    def pgettext(self, context: str, message: str) -> str:
        del context
        return self.gettext(message)


READ = {
    "diffusers", "space", "video", "call.use_dynamic_cfg", "placement", "below", "within", "above",
    "text", "denoising", "decoding", "latents", "text embeddings",
}  # fmt: skip
"""Strings of a record that the program reads, so they cannot be in other letters."""

_FILE = re.compile(r"(previews|comparisons)/.*|\d{4}-\d\d-\d\dT.*")
_WIDE = {n: n + 0xFEE0 for n in range(ord("A"), ord("z") + 1) if chr(n).isalpha()}


def wide(data: Any) -> Any:
    """Write every string of a record in full-width letters; what is in others on the page is the program's."""
    if isinstance(data, str) and not isinstance(data, Enum):
        kept = data in READ or _FILE.fullmatch(data)
        return data if kept else data.translate(_WIDE).replace("-alone".translate(_WIDE), "-alone")
    if isinstance(data, Record):
        return data.model_copy(update={name: wide(getattr(data, name)) for name in type(data).model_fields})
    if isinstance(data, dict):
        return {wide(key): wide(item) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return type(data)(wide(item) for item in data)
    return data


# ---- what a page says

SAYING = ("aria-label", "title", "alt", "placeholder", "data-label", "data-before", "data-short",
          "data-frame", "aria-valuetext", "data-worst", "data-bad", "data-parts")  # fmt: skip
"""Attributes that are shown or read out, the script's and the style sheet's words among them."""


class Words(HTMLParser):
    """Collects what a reader meets outside of brackets, with the element that it stands in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.path: list[str] = []
        self.depth = 0
        self.bare: list[tuple[str, str]] = []
        self.feed(page)
        self.close()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, content in attrs:
            if name in SAYING and content:
                self.bare.append((f"{tag}[{name}]", _outside(content, 0)[0]))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in {"meta", "link", "input", "img", "br"}:
            self.path.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.path and self.path.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        element = self.path[-1] if self.path else ""
        if element in {"script", "style"}:
            return
        left, self.depth = _outside(data, self.depth)
        self.bare.append((element, left))


def _outside(text: str, depth: int) -> tuple[str, int]:
    """Return what of a text stands outside of brackets, and how deep in them it ends."""
    kept = []
    for character in text:
        depth += (character == "⟦") - (character == "⟧")
        kept.append(character if depth == 0 and character != "⟧" else "")
    return "".join(kept), depth


NOT_SAID = READ | {"true", "false", "null"}  # texts of the record, and JSON values of settings
KNOWN = {  # the catalogue of known causes speaks English everywhere, in docs/known-causes.md too
    text for path in READ if (cause := known_cause(path)) for text in (cause.name, cause.source)
}
NAME = re.compile(r"\bspacediff\b")
MEASURED = re.compile(r"[<>]?[\d.]+ (s|min|h|MiB|GiB)\b|\d UTC\b")  # units beside their numbers


def untranslated(page: str) -> list[tuple[str, str]]:
    """Return the page's words that no catalogue can translate, each with its element."""
    found = []
    for element, text in Words(page).bare:
        left = MEASURED.sub("", NAME.sub("", text)).strip().removesuffix("-alone")  # the end of a run's name
        if element == "kbd" and len(left) == 1:
            continue  # a key with this very letter
        if re.search("[A-Za-z]", left) and left not in KNOWN and not set(left.split(", ")) <= NOT_SAID:
            found.append((element, " ".join(text.split())))
    return found
