"""Facts: exactly the values of their kind, and safe on the way through JSON."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from spacediff.record import Fact, FactKind, fact


def test_a_fact_comes_back_from_json_as_it_was() -> None:
    made = fact(FactKind.TEXT, fact(FactKind.TEXT, text="the Space is asleep"), text="nothing was compared")
    assert Fact.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize("values", [{}, {"text": 1}, {"text": None}, {"text": "a", "more": "b"}])
def test_a_fact_without_exactly_the_values_of_its_kind_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="text"):
        Fact(kind=FactKind.TEXT, values=values)
