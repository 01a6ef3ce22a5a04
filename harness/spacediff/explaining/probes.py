"""Probes: runs with some of the suspects changed, what they show of the target, and what they cost.

The key insight: a probe is a run like any other, so the store keeps it, and runs that share work share it here too. One
that ends early shows less, and is run again, to a later end, only where that is not enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from spacediff.explaining.budget import Budget
from spacediff.explaining.judging import Judge
from spacediff.explaining.search import Subset
from spacediff.explaining.sight import Sight
from spacediff.explaining.spread import Spread
from spacediff.explaining.units import changed_to, without
from spacediff.record import Role, RunRecord, TraceRecord
from spacediff.run import Run, Stop
from spacediff.settings import Difference

PROOF, COUNTER_PROOF = "proof", "counter-proof"

_STEPS = "call.num_inference_steps"

Generate = Callable[[Run], RunRecord]
GenerateAll = Callable[[Sequence[Run]], Iterable[RunRecord]]
"""Executes runs that do not depend on each other at once, and yields the record of each when it is finished."""
Report = Callable[[RunRecord, Subset, Sight], None]
"""Called after each generated probe: its run, the suspects that it changes, what it shows."""


@dataclass(frozen=True)
class EarlyStops:
    """What runs that may end early are compared with, and when a difference is certainly seen.

    Attributes:
        target: The run to be reproduced.
        seeds: Keys of runs that differ in nothing but their seed.
        far: The share of the distance between seeds from which on a difference is certainly seen.
        spread: How far re-runs of the target's first steps are from it; None where a re-run is equal to the end.
    """

    target: RunRecord
    seeds: tuple[str, ...]
    far: float
    spread: Spread | None = None

    @property
    def after(self) -> int:
        """How many steps to make after the first that differs: as many as re-runs are known for."""
        return max(self.spread.steps - 1, 0) if self.spread else 0

    @property
    def possible(self) -> bool:
        """Whether a run can be compared with the target while it is made."""
        return self.target.source in {"diffusers", "script"} and self.steps > 0

    @property
    def steps(self) -> int:
        """How many steps of the target were observed."""
        return len(self.target.trace.steps) if self.target.trace else 0


@dataclass
class Prober:
    """Generates with a subset of the suspects changed, within the budget. It owns what the runs have shown.

    Attributes:
        template: The run to be explained.
        differences: What differs between it and the target, by path.
        generate: Executes a run.
        judge: Compares a clip with the target.
        budget: What may be generated.
        report: Called with what each generated probe has shown.
        known: Runs that were there anyway, by what they change; the two ends among them.
        early: When runs end early; None where all go to their end.
        generate_all: Executes several runs at once; None where they are executed one after the other.
        probes: The runs that were asked for, by what they change: of several the one that went farthest.
        generated: All runs that were asked for, in order; a subset may have several, and one under a later name.
    """

    template: Run
    differences: Mapping[str, Difference]
    generate: Generate
    judge: Judge
    budget: Budget
    report: Report
    known: Mapping[Subset, RunRecord]
    early: EarlyStops | None = None
    generate_all: GenerateAll | None = None
    probes: dict[Subset, RunRecord] = field(default_factory=dict, init=False)
    generated: list[RunRecord] = field(default_factory=list, init=False)
    _sights: dict[Subset, Sight] = field(default_factory=dict, init=False)
    _followed: dict[Subset, int] = field(default_factory=dict, init=False)

    @property
    def sights(self) -> Mapping[Subset, Sight]:
        """What is known so far; the runs that were there anyway are judged when this is first asked for."""
        for subset, run in self.known.items():
            if subset not in self._sights:
                self._sights[subset] = self._seen(run)
        return self._sights

    @property
    def runs(self) -> Mapping[Subset, RunRecord]:
        """All runs, by what they change."""
        return {**self.known, **self.probes}

    @property
    def ends_early(self) -> bool:
        """Whether runs end at the first difference; what is not observed, or has not ended when asked, does not."""
        return self.early is not None and self.early.possible and not self.budget.overshot

    def watch(self, subset: Subset, last: int | None = None) -> Sight:
        """Run until the first difference from the target, at most to a step; by default to the end.

        Raises:
            BudgetSpentError: It would have to be generated, and too little is left to spend.
        """
        if self._is_watched(subset, last):
            return self.sights[subset]
        sight = self._run(subset, self._watching(last), steps=last)
        self._followed[subset] = last or 0
        return sight

    def watch_each(self, subsets: Sequence[Subset], last: int) -> None:
        """Do what `watch` does with each of some subsets, at once where that is possible.

        Raises:
            BudgetSpentError: Too little is left to spend for all of them.
        """
        asked = [subset for subset in subsets if not self._is_watched(subset, last)]
        alone = asked if self.generate_all is None else asked[:1]  # the first shows whether runs end when asked
        for subset in alone:
            self.watch(subset, last)
        for subset in self._run_each(asked[len(alone) :], self._watching(last), steps=last):
            self._followed[subset] = last

    def _is_watched(self, subset: Subset, last: int | None) -> bool:
        """Whether running a subset until a step would show nothing more."""
        sight = self.sights.get(subset)
        if sight is not None and (sight.ended or sight.equal is False):
            return True
        return last is not None and sight is not None and self._followed.get(subset, 0) >= last

    def _watching(self, last: int | None) -> Stop | None:
        return self._stop(lambda early: Stop(early.target.key, early.seeds, early.after, last=last, decode=True))

    def probe(self, subset: Subset) -> Sight:
        """Run until it is certain that a difference can be seen, else to the end.

        Raises:
            BudgetSpentError: It would have to be generated, and too little is left to spend.
        """
        sight = self.sights.get(subset)
        if sight is not None and (sight.ended or sight.within is not None):
            return sight
        stop = None
        if self.early and self.early.seeds and not self._other_steps(subset):
            stop = self._stop(lambda early: Stop(early.target.key, early.seeds, far=early.far, decode=True))
        sight = self._run(subset, stop)
        return sight if sight.ended or sight.within is not None else self._run(subset, None)

    def whole(self, subset: Subset, name: str = "") -> Sight:
        """Run to the end; a probe may be given a name of its own.

        To name what was there already spends nothing.

        Raises:
            BudgetSpentError: It would have to be generated, and too little is left to spend.
        """
        there = self.runs.get(subset)
        if there is None or there.stopped is not None:
            return self._run(subset, None, name=name)
        if name and there.name != name:
            self._note(subset, self._renamed(there, self._planned(subset, name, None)))
        return self.sights[subset]

    def whole_each(self, subsets: Sequence[Subset]) -> None:
        """Do what `whole` does with each of some subsets, at once where that is possible.

        Raises:
            BudgetSpentError: Too little is left to spend for all of them.
        """
        if self.generate_all is not None:
            there = self.runs
            self._run_each([each for each in subsets if each not in there or there[each].stopped is not None], None)
        for subset in subsets:
            self.whole(subset)

    def to_come(self, subset: Subset, name: str) -> Run | None:
        """Return the run that `whole` would make; None where there is one."""
        there = self.runs.get(subset)
        return self._planned(subset, name, None) if there is None or there.stopped is not None else None

    def _other_steps(self, subset: Subset) -> bool:
        """Whether a run has other numbers of steps than the target, so that its latents cannot be compared."""
        return _STEPS in self.differences and _STEPS not in subset

    def _stop(self, when: Callable[[EarlyStops], Stop]) -> Stop | None:
        return when(self.early) if self.early is not None and self.ends_early else None

    def _run(self, subset: Subset, stop: Stop | None, *, name: str = "", steps: int | None = None) -> Sight:
        most = steps if stop is not None else None
        self.budget.ensure(most)
        planned = self._planned(subset, name or f"probe-{len(self.generated) + 1}", stop)
        made = self._renamed(self.generate(planned), planned)
        self.budget.spend(made, subset, most)
        sight = self._note(subset, made)
        self.report(made, subset, sight)
        return sight

    def _run_each(self, subsets: Sequence[Subset], stop: Stop | None, *, steps: int | None = None) -> list[Subset]:
        """Run subsets at once, as many as the budget allows for whatever they show; return them."""
        most, rest = steps if stop is not None else None, list(subsets)
        while rest and self.generate_all is not None:
            self.budget.ensure(most)
            now, rest = rest[: self.budget.affordable(most)], rest[self.budget.affordable(most) :]
            names = [f"probe-{len(self.generated) + number}" for number in range(1, len(now) + 1)]
            planned = [self._planned(subset, name, stop) for subset, name in zip(now, names, strict=True)]
            made = {record.name: record for record in self.generate_all(planned)}
            for subset, run in zip(now, planned, strict=True):
                record = self._renamed(made[run.name], run)
                self.budget.spend(record, subset, most)
                self.report(record, subset, self._note(subset, record))
        return list(subsets)

    def _note(self, subset: Subset, made: RunRecord) -> Sight:
        self.generated.append(made)
        sight = self._seen(made)  # reads clips for seconds; an interruption leaves a run that shows nothing yet
        self._sights[subset] = sight
        self.probes[subset] = made
        return sight

    def _planned(self, subset: Subset, name: str, stop: Stop | None) -> Run:
        changes = changed_to(self.differences, subset)
        kept = without(self.template.settings, frozenset(p for p in subset if self.differences[p].right is None))
        role = Role.VARIANT if name in {PROOF, COUNTER_PROOF} else Role.SCREEN if stop is not None else Role.PROBE
        settings = kept.changed_by(changes)
        return replace(
            self.template,
            name=name,
            role=role,
            settings=settings,
            changes=changes,
            repeat=0,
            stop=stop,
            is_target=False,
        )

    def _renamed(self, made: RunRecord, planned: Run) -> RunRecord:
        """Give a run its name and its role; one that might have ended early and has a clip is a probe like others."""
        role = Role.PROBE if planned.role is Role.SCREEN and made.stopped is None else planned.role
        return made.model_copy(update={"name": planned.name, "role": role})

    def _seen(self, run: RunRecord) -> Sight:
        """Return what a run shows of the target."""
        if run.stopped is not None:
            return _seen_early(run, self.early)
        judged = self.judge(run)
        if judged.equal is None:
            return Sight(None, None)
        first = _first_difference(run.trace, self.early.target.trace if self.early else None)
        if judged.within and self.early is not None and self.early.spread is not None:
            return Sight(judged.equal or None, judged.within)  # what differs may be the machine's own
        return Sight(judged.equal and first is None, judged.within, first)


def _seen_early(run: RunRecord, early: EarlyStops | None) -> Sight:
    stopped = run.stopped
    if stopped is None or early is None or stopped.first is None:
        return Sight(None, None, ended=False)
    if early.spread is not None and early.spread.covers(stopped) is not False:
        return Sight(None, None, ended=False)
    far = stopped.same_noise and stopped.distance is not None and stopped.distance >= early.far
    within = False if far else None
    return Sight(equal=False, within=within, step=stopped.first, distance=stopped.distance, ended=False)


def _first_difference(one: TraceRecord | None, other: TraceRecord | None) -> int | None:
    """Return the first step whose latents differ, from 1; None where none does, or one of the two shows none."""
    ours, theirs = ([step.digest for step in trace.steps] if trace else [] for trace in (one, other))
    if not ours or not theirs or ours == theirs:
        return None
    pairs: Sequence[tuple[str, str]] = list(zip(ours, theirs, strict=False))
    return next((n for n, (a, b) in enumerate(pairs, 1) if a != b), len(pairs) + 1)
