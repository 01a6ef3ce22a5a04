"""What probes may cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.explaining.budget import Budget
from spacediff.explaining.judging import Judge
from spacediff.explaining.probes import EarlyStops, Prober
from spacediff.explaining.search import BudgetSpentError
from spacediff.record import Role, RunRecord, StepRecord, StoppedRecord, TraceRecord
from spacediff.run import Prompt, Run


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
    assert (budget.cost.probes, budget.cost.steps, budget.cost.steps_each) == (3, 55, 50)
    assert budget.cost.generations == budget.spent


def test_without_early_stops_each_set_of_changes_would_be_generated_once() -> None:
    budget = Budget(9.0, 50)
    a, b, late = frozenset({"a"}), frozenset({"b"}), frozenset({"late"})
    for run, changed in ((ran(50, stopped=2), a), (ran(50), a), (ran(50, stopped=2), b)):
        budget.spend(run, changed)
    budget.spend(ran(50, shared=True), late)  # only decodes
    budget.spend(ran(50, stopped=2))  # the target's first steps again
    assert (budget.cost.probes, budget.cost.whole) == (5, 2)
    budget.spend(ran(50).model_copy(update={"prompt": "q"}), a)
    assert budget.cost.whole == 3


def test_only_runs_whose_steps_are_observed_end_early() -> None:
    def ends_early(target: RunRecord) -> bool:
        template = Run("baseline", Role.BASELINE, Prompt("p", "", 1), "diffusers")
        early, judge = EarlyStops(target, (), far=1.0), Judge(target, Path(), 0.0)
        return Prober(template, {}, lambda _: target, judge, Budget(1.0, 50), print, {}, early).ends_early

    assert ends_early(ran(50))
    assert ends_early(ran(50).model_copy(update={"source": "script"}))
    assert not ends_early(ran(50).model_copy(update={"source": "video"}))
    assert not ends_early(ran(0))


def test_what_might_pass_the_budget_is_not_begun() -> None:
    budget = Budget(1.1, 50)
    budget.spend(ran(50))
    budget.ensure(5)
    with pytest.raises(BudgetSpentError):
        budget.ensure(6)
    with pytest.raises(BudgetSpentError):
        budget.ensure()


def test_a_run_that_makes_more_steps_than_it_was_asked_for_is_trusted_no_more() -> None:
    budget = Budget(2.5, 50)
    budget.spend(ran(50, stopped=2), steps=2)
    budget.ensure(2)
    assert not budget.overshot
    budget.spend(ran(50), steps=2)
    assert budget.overshot
    budget.ensure(2)
    budget.spend(ran(50), steps=2)
    with pytest.raises(BudgetSpentError):
        budget.ensure(2)


def test_without_observed_steps_each_run_counts_as_a_whole_one() -> None:
    budget = Budget(2.0, 0)
    budget.spend(ran(0))
    assert budget.spent == 1
    with pytest.raises(BudgetSpentError):
        Budget(0.5, 0).ensure(1)
