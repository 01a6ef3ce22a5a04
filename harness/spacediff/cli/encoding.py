"""Output in any console encoding: what the console cannot show is written in ASCII and not refused.

A console of Windows, or a log that its output goes to, is often cp1252 or cp437; a container's is ASCII. Signs that
spacediff writes itself have a spelling, such as `inf` for the sign of infinity. Any other character becomes its escape
sequence, from which it can be restored, which a question mark does not allow.
"""

from __future__ import annotations

import codecs
import io
import json
import sys

from spacediff.privacy.short_lines import printable

_HANDLER = "spacediff-spelled"
_SPELLINGS = {
    "∞": "inf",
    "→": "->",
    "…": "...",
    "·": "-",
    "—": "-",
    "–": "-",  # noqa: RUF001 - an en dash
    "−": "-",  # noqa: RUF001 - a minus sign
    "×": "x",  # noqa: RUF001 - a multiplication sign
    "²": "^2",
    "≤": "<=",
    "≥": ">=",
    "“": '"',
    "”": '"',
    "‘": "'",  # noqa: RUF001 - a quotation mark
    "’": "'",  # noqa: RUF001 - an apostrophe
    "⟨": "<",
    "⟩": ">",
    "\ufffd": "?",  # stands for a control character
}


def prepare_output() -> None:
    """Make standard output and standard error accept every text; their encodings stay."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def spelled(text: str, encoding: str) -> str:
    """Return a text as a console of this encoding shows it."""
    return text.encode(encoding, _HANDLER).decode(encoding)


def spelled_json(text: str, encoding: str) -> str:
    """Return a JSON text with what this encoding lacks as JSON's own escape sequences; it has the same value.

    So is what a terminal would follow in place of showing it: JSON leaves the controls above U+007E as they are.
    """
    try:
        text.encode(encoding)
        spelled_out = printable(text) != text
    except UnicodeEncodeError:
        spelled_out = True
    if not spelled_out:
        return text
    # outside its strings, JSON is ASCII and prints
    return "".join(letter if letter.isascii() and letter != "\x7f" else json.dumps(letter)[1:-1] for letter in text)


def _spell(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(_SPELLINGS.get(letter) or _escaped(letter) for letter in letters), error.end


def _escaped(letter: str) -> str:
    return letter.encode("ascii", "backslashreplace").decode("ascii")


codecs.register_error(_HANDLER, _spell)
