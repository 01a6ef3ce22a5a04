"""A change of a file as a patch, for `patch -p0` and `git apply`."""

from __future__ import annotations

import difflib
import re


def unified_diff(name: str, before: bytes, after: bytes) -> str:
    """Return the patch from one UTF-8 text to another, for `patch -p0` and `git apply`; empty if they are equal.

    Args:
        name: The file's name, without its folder.
        before: Its present content.
        after: Its new content.
    """
    quoted = _quoted(name)
    old, new = (_lines(text.decode("utf-8")) for text in (before, after))
    lines = difflib.unified_diff(old, new, quoted, quoted)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Split at line feeds alone, as patch does; `splitlines` splits at more."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _quoted(name: str) -> str:
    """Return a file name as patches write it: quoted if it has characters that would end it."""
    if any(letter in '"\\' or ord(letter) < ord(" ") or letter == "\x7f" for letter in name):
        inner = "".join(
            f"\\{letter}" if letter in '"\\' else letter if letter.isprintable() else _octal(letter) for letter in name
        )
        return f'"{inner}"'
    return f"{name}\t" if " " in name else name


def _octal(letter: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in letter.encode("utf-8", "surrogateescape"))
