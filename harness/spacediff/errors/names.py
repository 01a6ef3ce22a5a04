"""Misspelt names: the nearest known one, which an error suggests."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest_name(name: str, known: Iterable[str], least: float = 0.6) -> str:
    """Return the known name that is most similar to a misspelt one, or an empty string.

    Args:
        name: The misspelt name.
        known: The known names.
        least: The least similarity, from 0 to 1, as `difflib.SequenceMatcher` measures it.
    """
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=least)), "")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Ask for the known name nearest to a misspelt one, to end a message with: `; did you mean 'fps'?`, or nothing."""
    near = nearest_name(name, known)
    return f"; did you mean {near!r}?" if near else ""
