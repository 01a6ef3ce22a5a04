"""What an entry of the catalogue says."""

from __future__ import annotations

from dataclasses import dataclass

DIFFUSERS = "huggingface.co/docs/diffusers"


@dataclass(frozen=True, slots=True)
class Cause:
    """One known cause.

    Attributes:
        id: Permanent identifier, in lower case.
        name: Short name for people.
        paths: Patterns of the dotted paths that it belongs to; empty for a cause that is not a setting of its own.
        looks: What it looks like.
        detected: How it is found.
        size: How large it tends to be, one of `SIZES`.
        change: What to do about it.
        source: Where it is documented.
        families: Beginnings of the names of the pipelines for which it holds; empty if it holds for all.
    """

    id: str
    name: str
    paths: tuple[str, ...]
    looks: str
    detected: str
    size: str
    change: str
    source: str
    families: tuple[str, ...] = ()


SIZES = ("none", "small", "none to large", "small to large", "large", "small to another sample", "another sample")
"""How large a cause may tend to be, the smallest first."""
