"""Probes: runs with some of the suspects changed, and whether their clips reproduce the target.

The key insight: a probe is a run like any other, so the store keeps it, and runs that share work share it here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from spacediff.explaining.judging import Judge
from spacediff.explaining.search import BudgetSpentError, Subset
from spacediff.explaining.units import changed_to, without
from spacediff.record import Role, RunRecord
from spacediff.run import Run
from spacediff.settings import Difference

PROOF, COUNTER_PROOF = "proof", "counter-proof"

Generate = Callable[[Run], RunRecord]
Report = Callable[[RunRecord, Subset, bool | None], None]
"""Called after each generated probe: its run, the suspects that it changes, whether it reproduces the target."""


@dataclass
class Budget:
    """How many clips may be generated.

    Attributes:
        most: At most so many.
        spent: How many were.
    """

    most: int
    spent: int = 0

    def spend(self) -> None:
        """Count one clip.

        Raises:
            BudgetSpentError: None is left.
        """
        if self.spent >= self.most:
            raise BudgetSpentError
        self.spent += 1


@dataclass
class Prober:
    """Generates with a subset of the suspects changed, each subset once, within the budget. It owns the outcomes.

    Attributes:
        template: The run to be explained.
        differences: What differs between it and the target, by path.
        generate: Executes a run.
        judge: Compares a clip with the target.
        budget: How many clips may be generated.
        report: Called with what each generated probe has shown.
        known: Runs that were there anyway, by what they change; the two ends among them.
        probes: The runs that were asked for, by what they change.
        outcomes: Whether each subset that was asked for reproduces the target; None where there is no clip.
        generated: All runs that were asked for, in order; one subset has two if it was given a name later.
    """

    template: Run
    differences: Mapping[str, Difference]
    generate: Generate
    judge: Judge
    budget: Budget
    report: Report
    known: Mapping[Subset, RunRecord]
    probes: dict[Subset, RunRecord] = field(default_factory=dict, init=False)
    outcomes: dict[Subset, bool | None] = field(default_factory=dict, init=False)
    generated: list[RunRecord] = field(default_factory=list, init=False)

    def reproduces(self, subset: Subset, name: str = "") -> bool | None:
        """Return whether a subset reproduces the target; a probe may be given a name of its own.

        To name what was there already spends nothing, since the store has it.

        Raises:
            BudgetSpentError: It would have to be generated, and nothing is left to spend.
        """
        spent = self.budget.spent
        run = self._run_of(subset, name)
        self.outcomes[subset] = self.judge(run).within
        if self.budget.spent > spent:
            self.report(run, subset, self.outcomes[subset])
        return self.outcomes[subset]

    @property
    def runs(self) -> Mapping[Subset, RunRecord]:
        """All runs, by what they change."""
        return {**self.known, **self.probes}

    def _run_of(self, subset: Subset, name: str) -> RunRecord:
        there = self.probes.get(subset) or self.known.get(subset)
        if there is None:
            self.budget.spend()
        elif not name or there.name == name:
            return there
        made = self.generate(self._planned(subset, name or f"probe-{len(self.probes) + 1}"))
        self.generated.append(made)
        self.probes[subset] = made
        return made

    def _planned(self, subset: Subset, name: str) -> Run:
        changes = changed_to(self.differences, subset)
        kept = without(self.template.settings, frozenset(p for p in subset if self.differences[p].right is None))
        role = Role.VARIANT if name in {PROOF, COUNTER_PROOF} else Role.PROBE
        return replace(
            self.template, name=name, role=role, settings=kept.changed_by(changes), changes=changes, repeat=0
        )
