from __future__ import annotations

import pytest

from spacediff.comparing.failures import Failed, attempt, attempt_each, succeeded
from spacediff.errors import NotMeasuredError
from spacediff.record import FactKind, Verdict, fact, quoted


def inverse(value: int) -> float:
    if value < 0:
        raise NotMeasuredError(f"{value} is negative")
    return 1 / value


def test_each_value_goes_its_own_way() -> None:
    before = Failed(Verdict.NOT_MEASURED, quoted("no clip"))
    values: dict[str, int | Failed] = {"a": 4, "b": -1, "c": 0, "d": before}
    found = attempt_each(values, inverse, Verdict.NOT_COMPARABLE)
    assert found == {
        "a": 0.25,
        "b": Failed(Verdict.NOT_COMPARABLE, quoted("-1 is negative")),
        "c": Failed(
            Verdict.NOT_MEASURED,
            fact(FactKind.COMPARING_FAILED, quoted("ZeroDivisionError: division by zero")),
        ),
        "d": before,
    }
    assert succeeded(found) == {"a": 0.25}


def test_an_interruption_is_no_failure() -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(interrupted)
