"""Untrusted texts as short lines: what a server, a program or a library says, fit to be shown in a sentence.

Secrets are removed first, as they came; then control characters, which could move the cursor or end the line.
"""

from __future__ import annotations

from spacediff.privacy.redaction import redact_text


def printable(text: str) -> str:
    """Return a text with U+FFFD in place of each control, format or unassigned character but line feeds and tabs.

    So escape sequences and changes of direction are seen and not followed. The carriage return of a line's end goes.
    """
    return "".join(
        character if character.isprintable() or character in _KEPT else "\ufffd"
        for character in text.replace("\r\n", "\n").removesuffix("\r")
    )


_KEPT = "\n\t\u00a0\u202f\u200c\u200d"
"""Line feed and tab; spaces that do not break, which are written by us; the joiners, without which scripts and emoji
fall apart."""


def one_line(text: str) -> str:
    """Return a text without secrets, and with a space in place of each character that does not print."""
    return "".join(character if character.isprintable() else " " for character in redact_text(text))


def shortened(text: str, most: int) -> str:
    """Return a text that is not longer than asked for; a cut one ends with an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def short_line(text: str, most: int) -> str:
    """Return a text as one printable line of at most so many characters, without secrets."""
    return shortened(one_line(text), most)
