"""The page's words: English as they stand in the code, or what a catalogue has for them.

The key insight: a language belongs to the drawing of one page, not to the process. So it is in force while that page is
drawn and nowhere else; whoever says the same words elsewhere, such as the terminal, says them in English.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from gettext import NullTranslations
from typing import Any

ENGLISH = NullTranslations()

_SPOKEN: ContextVar[NullTranslations] = ContextVar("translations", default=ENGLISH)


@contextmanager
def spoken(translations: NullTranslations) -> Iterator[None]:
    """Say everything in a language for as long as this lasts."""
    before = _SPOKEN.set(translations)
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def language(translations: NullTranslations) -> str:
    """Return the language tag of a catalogue, as HTML wants it: `en`, `de`, `pt-BR`."""
    return translations.info().get("language", "").replace("_", "-") or "en"


def gettext(text: str, **values: Any) -> str:
    """Say a text with its values; each `%(name)s` in it is one, and a percent sign is doubled."""
    return _SPOKEN.get().gettext(text) % values


def ngettext(one: str, many: str, num: int, **values: Any) -> str:
    """Say a text for a number, which is `%(num)s` in it."""
    return _SPOKEN.get().ngettext(one, many, num) % {"num": num, **values}


def deferred(text: str) -> str:
    """Put a text into the catalogue that is said later, or in English too."""
    return text


def template_texts() -> dict[str, Any]:
    """Return what the templates' own extension calls for a text, and fills in and escapes itself.

    A translation is as good as a template, so it may hold tags. It may stand in an attribute as well: no quotation mark
    of it can end one.
    """
    return {
        "gettext": lambda text: _inert(_SPOKEN.get().gettext(text)),
        "ngettext": lambda one, many, num: _inert(_SPOKEN.get().ngettext(one, many, num)),
        "pgettext": lambda context, text: _inert(_SPOKEN.get().pgettext(context, text)),
    }


def _inert(text: str) -> str:
    return text.replace('"', "&quot;")
