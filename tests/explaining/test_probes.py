"""What probes may cost."""

from __future__ import annotations

import pytest

from spacediff.explaining.budget import Budget
from spacediff.explaining.search import BudgetSpentError
from spacediff.record import Role, RunRecord, StepRecord, StoppedRecord, TraceRecord


def ran(steps: int, *, shared: bool = False, stopped: int | None = None) -> RunRecord:
    step = StepRecord(timestep=None, guidance=None, digest="", mean=0.0, std=1.0, norm=1.0, nonfinite=0)
    trace = TraceRecord(steps=[step] * steps, shared=["latents"] if shared else [])
    early = None if stopped is None else StoppedRecord(target="", step=stopped, steps=steps, made=stopped)
    return RunRecord(key="", name="", role=Role.PROBE, prompt="p", source="diffusers", measured=stopped is None,
                     trace=trace, stopped=early)  # fmt: skip


def test_a_budget_counts_the_steps_that_were_made() -> None:
    budget = Budget(3.0, 50)
    for run in (ran(50), ran(50, stopped=5), ran(50, shared=True)):
        budget.ensure()
        budget.spend(run)
    assert budget.spent == pytest.approx(1.1)
    assert budget.cost.model_dump() == {"probes": 3, "steps": 55, "steps_each": 50, "generations": budget.spent}


def test_what_might_pass_the_budget_is_not_begun() -> None:
    budget = Budget(1.1, 50)
    budget.spend(ran(50))
    budget.ensure(5)
    with pytest.raises(BudgetSpentError):
        budget.ensure(6)
    with pytest.raises(BudgetSpentError):
        budget.ensure()


def test_without_observed_steps_each_run_counts_as_a_whole_one() -> None:
    budget = Budget(2.0, 0)
    budget.spend(ran(0))
    assert budget.spent == 1
    with pytest.raises(BudgetSpentError):
        Budget(0.5, 0).ensure(1)
