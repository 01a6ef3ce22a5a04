"""The catalogue of known causes: which entry belongs to a setting, and how the documentation shows them all.

One list feeds the plan of `spacediff why`, the report's cause and docs/known-causes.md. An entry says nothing about a
given pair of runs; only a measurement does.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from spacediff.catalogue.checkpoints import overflows_in_float16
from spacediff.catalogue.entries import CATALOGUE, Cause
from spacediff.catalogue.pipelines import family_of
from spacediff.devices import compute_differently

__all__ = ["CATALOGUE", "Cause", "as_markdown", "cause_named", "known_cause", "known_difference"]


def known_cause(path: str, family: str = "") -> Cause | None:
    """Return the entry that belongs to a setting.

    A path without wildcards takes precedence, then an entry for the family.

    Args:
        path: Dotted path.
        family: The family of the pipeline; entries for a single family are left out if it is unknown.
    """
    holding = [cause for cause in CATALOGUE if not cause.families or family in cause.families]
    holding.sort(key=lambda cause: not cause.families)
    for exact in (True, False):
        for cause in holding:
            if any(fnmatchcase(path, pattern) for pattern in cause.paths if ("*" not in pattern) is exact):
                return cause
    return None


def known_difference(
    path: str, left: Any, right: Any, *, pipeline: object = "", checkpoint: object = ""
) -> Cause | None:
    """Return the entry that belongs to two values of a setting, None for one that is not set.

    Offloading only moves weights, but a different type of device computes other numbers.

    Args:
        path: Dotted path.
        left: One value.
        right: The other value.
        pipeline: The class of the pipeline, if it is known.
        checkpoint: The checkpoint, if it is known.
    """
    if path == "placement" and compute_differently(left, right):
        return cause_named("device-type")
    if path == "model.dtype" and (left == "float16") is not (right == "float16") and overflows_in_float16(checkpoint):
        return cause_named("float16-overflow")
    return known_cause(path, family_of(pipeline))


def cause_named(identifier: str) -> Cause:
    """Return the entry with this identifier; raises StopIteration if there is none."""
    return next(cause for cause in CATALOGUE if cause.id == identifier)


def as_markdown() -> str:
    """Return the catalogue as docs/known-causes.md."""
    lines = [
        "# Known causes",
        "",
        "Why the same prompt and seed give another clip. Generated from `harness/spacediff/catalogue/entries/`.",
        "An entry says nothing about a given pair of runs; only a measurement does. An entry that names families of",
        "pipelines is shown only for them.",
        "",
        "| id | cause | settings | holds for | looks like | how it is found | typical size | what to do | source |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for cause in CATALOGUE:
        paths = ", ".join(f"`{path}`" for path in cause.paths) or "–"  # noqa: RUF001 - a dash
        cells = [
            f"`{cause.id}`",
            cause.name,
            paths,
            ", ".join(cause.families) or "all",
            cause.looks,
            cause.detected,
            cause.size,
            cause.change,
            cause.source,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
