"""Errors by the code that a record and docs/errors.md have for them."""

from __future__ import annotations

from collections.abc import Iterator

from spacediff.errors.base import NotMeasuredError, SpacediffError


def error_classes() -> Iterator[type[SpacediffError]]:
    """Yield every class of expected failure, base classes first."""
    found: list[type[SpacediffError]] = [SpacediffError]
    for each in found:
        yield each
        found += each.__subclasses__()


def error_from_record(code: str, message: str, hint: str = "") -> NotMeasuredError:
    """Create the error that a record contains as code, reason and hint.

    An unknown code, or no code as in old records, gives a plain `NotMeasuredError`.
    """
    kinds = {each.code: each for each in error_classes() if issubclass(each, NotMeasuredError)}
    return kinds.get(code, NotMeasuredError)(message, hint=hint)
