"""What probes may cost."""

from __future__ import annotations

import pytest

from spacediff.explaining.probes import Budget
from spacediff.explaining.search import BudgetSpentError


def test_a_budget_is_spent_once() -> None:
    budget = Budget(1)
    budget.spend()
    with pytest.raises(BudgetSpentError):
        budget.spend()
