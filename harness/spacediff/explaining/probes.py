"""Probes: runs with some of the suspects changed, and whether their clips reproduce the target.

The key insight: a probe is a run like any other, so the store keeps it, and runs that share work share it here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from spacediff.clip import read_frames
from spacediff.comparing.floor_and_ceiling import errors_of
from spacediff.explaining.search import BudgetSpentError, Subset
from spacediff.explaining.units import changed_to, without
from spacediff.metrics import METRICS
from spacediff.metrics.scoring import score
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


class Same:
    """Compares clips with the target: they have to be equal byte for byte, or within what a re-run differs.

    Frames that were compared once are not read again: runs with equal traces give equal frames.

    Args:
        target: The run to be reproduced.
        runs: The runs of its prompt; the baseline and its re-run show how far a re-run differs.
        folder: The audit folder.
    """

    def __init__(self, target: RunRecord, runs: Iterable[RunRecord], folder: Path) -> None:
        self._target = target
        self._folder = folder
        of_role = {run.role: run for run in runs}
        baseline, rerun = of_role.get(Role.BASELINE), of_role.get(Role.RERUN)
        self._floor = self._errors(baseline, rerun) if baseline and rerun else {}
        self._judged: dict[str, bool] = {}

    def __call__(self, run: RunRecord) -> bool | None:
        """Return whether a run's clip is the target's; None where one of the two has no clip."""
        if run.clip is None or self._target.clip is None:
            return None
        if run.clip.digest not in self._judged:
            self._judged[run.clip.digest] = self._judge(run)
        return self._judged[run.clip.digest]

    def _judge(self, run: RunRecord) -> bool:
        if run.clip and self._target.clip and run.clip.digest == self._target.clip.digest:
            return True
        if not any(self._floor.values()):
            return False
        errors = self._errors(self._target, run)
        return bool(errors) and all(error <= self._floor.get(name, 0.0) for name, error in errors.items())

    def _errors(self, one: RunRecord, other: RunRecord) -> Mapping[str, float]:
        if one.clip is None or other.clip is None or one.clip.digest == other.clip.digest:
            return {}
        shapes = {(clip.frames, clip.height, clip.width) for clip in (one.clip, other.clip)}
        if len(shapes) > 1:
            return {}
        ours, theirs = (read_frames(self._folder / clip.lossless) for clip in (one.clip, other.clip))
        return errors_of(score(ours, {"": theirs}, METRICS)[""])


@dataclass
class Prober:
    """Generates with a subset of the suspects changed, each subset once, within the budget. It owns the outcomes.

    Attributes:
        template: The run to be explained.
        differences: What differs between it and the target, by path.
        generate: Executes a run.
        same: Compares a clip with the target.
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
    same: Same
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
        self.outcomes[subset] = self.same(run)
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
