"""Failures as values: what keeps a clip from being compared costs no other clip its numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from spacediff.errors import NotMeasuredError, failure, raise_if_disk_full
from spacediff.record import Fact, FactKind, Verdict, fact, quoted

_Value = TypeVar("_Value")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Failed:
    """What stands where a step has no result.

    Attributes:
        verdict: The verdict that follows: `not measured` or `not comparable`.
        reason: What went wrong.
    """

    verdict: Verdict
    reason: Fact


def attempt(step: Callable[[], _Result | Failed], verdict: Verdict = Verdict.NOT_MEASURED) -> _Result | Failed:
    """Return what a step returns, or what it failed with.

    Args:
        step: The step.
        verdict: What follows from an expected failure; an unexpected one is always `not measured`.

    Raises:
        DiskFull: There is no space left for the files of a comparison.
    """
    try:
        return step()
    except NotMeasuredError as error:
        raise_if_disk_full(error)
        return Failed(verdict, quoted(error.message))
    except Exception as error:  # noqa: BLE001 - one clip's failure, whatever it is, must not cost the others
        raise_if_disk_full(error)
        return Failed(Verdict.NOT_MEASURED, fact(FactKind.COMPARING_FAILED, quoted(failure(error))))


def attempt_each(
    values: Mapping[str, _Value | Failed],
    step: Callable[[_Value], _Result | Failed],
    verdict: Verdict = Verdict.NOT_MEASURED,
) -> dict[str, _Result | Failed]:
    """Take the next step with every value, each by itself; what has failed before stays as it is."""
    return {
        name: value if isinstance(value, Failed) else attempt(partial(step, value), verdict)
        for name, value in values.items()
    }


def succeeded(values: Mapping[str, _Value | Failed]) -> dict[str, _Value]:
    """Return the values without those that failed."""
    return {name: value for name, value in values.items() if not isinstance(value, Failed)}
