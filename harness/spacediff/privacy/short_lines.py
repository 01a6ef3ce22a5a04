"""Untrusted texts as short lines: what a server, a program or a library says, fit to be shown in a sentence.

Secrets are removed first, as they came; then control characters, which could move the cursor or end the line.
"""

from __future__ import annotations

from spacediff.privacy.redaction import redact_text


def one_line(text: str) -> str:
    """Return a text without secrets, and with a space in place of each character that does not print."""
    return "".join(character if character.isprintable() else " " for character in redact_text(text))


def shortened(text: str, most: int) -> str:
    """Return a text that is not longer than asked for; a cut one ends with an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def short_line(text: str, most: int) -> str:
    """Return a text as one printable line of at most so many characters, without secrets."""
    return shortened(one_line(text), most)
