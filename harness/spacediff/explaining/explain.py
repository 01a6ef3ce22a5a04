"""Explain: search for the cause with real generations, then prove it on every prompt.

The key insight: cheap evidence comes first, and nothing is taken on trust. Most runs end at their first difference,
what the audit has generated anyway is no probe to be made, and what can hardly have an effect is not followed by
itself. But every claim rests on a run, and the cause on a proof that goes to its end.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from spacediff.comparing.contents import shows_nothing
from spacediff.explaining.audited import Audited, unmeasured
from spacediff.explaining.budget import Budget
from spacediff.explaining.judging import Judge
from spacediff.explaining.priors import SEEN, in_order, without_effect
from spacediff.explaining.probes import COUNTER_PROOF, PROOF, EarlyStops, Generate, GenerateAll, Prober
from spacediff.explaining.result import INTERRUPTED, PromptProof, SearchResult
from spacediff.explaining.screening import FIRST_STEPS, Screening
from spacediff.explaining.search import BudgetSpentError, Subset, subsets_to_weigh
from spacediff.explaining.sight import Sight
from spacediff.explaining.spread import Spread, measure_spread, shows_spread
from spacediff.explaining.units import differing
from spacediff.explaining.visible import VisibleCause
from spacediff.fitting.expectation import measured_by
from spacediff.plan import Plan
from spacediff.progress import ProgressListener, SearchProgress
from spacediff.record import Fact, FactKind, RunRecord, fact
from spacediff.run import Run
from spacediff.settings import Difference
from spacediff.stages import Stage, acts_from

AFFORDABLE_SECONDS = 900.0
"""With `explain.weights = "auto"`, exact weights are computed where their runs take at most so long."""

_UNLIKELY = ("placement",)
"""Settings that should change no number are not followed by themselves; a run shows what they do all the same."""


def explain(
    plan: Plan,
    runs: Sequence[RunRecord],
    folder: Path,
    generate: Generate,
    listener: ProgressListener,
    *,
    generate_all: GenerateAll | None = None,
) -> SearchResult | None:
    """Search for the cause on the first prompt, and prove it on all.

    An interruption or a spent budget ends the search; the result holds everything found until then.

    Args:
        plan: The plan, with the two ends.
        runs: The runs of the plan.
        folder: The audit folder.
        generate: Executes a run.
        listener: Called with the progress.
        generate_all: Executes runs that do not depend on each other at once; None where nothing does.

    Returns:
        What was found; None where the plan asks for no search.
    """
    if plan.explain is None:
        return None
    audited = Audited(plan, plan.explain, runs, folder)
    left, right = audited.ends(plan.prompts[0].name)
    suspects = tuple(in_order(differing(plan.explain.start_settings, plan.explain.target_settings), left, right))
    if reason := _nothing_to_search(left, right, suspects):
        return SearchResult(left, right, suspects, reason=reason)
    return _CauseSearch(audited, suspects, generate, listener, generate_all).run()


def _nothing_to_search(left: RunRecord, right: RunRecord, suspects: Sequence[Difference]) -> Fact | None:
    """Return why there is nothing to search; None where there is."""
    if missing := unmeasured(left, right):
        return missing
    if not suspects:
        return fact(FactKind.SAME_SETTINGS, start=left.name, target=right.name)
    if shows_nothing(right):
        return fact(FactKind.TARGET_SHOWS_NOTHING, target=right.name)
    if left.clip and right.clip and left.clip.digest == right.clip.digest:
        return fact(FactKind.SAME_FRAMES, start=left.name, target=right.name)
    return None


def _steps_of(*ends: RunRecord) -> int:
    """Return the denoising steps of the longer end; 0 where those of one were not observed."""
    steps = [len(run.trace.steps) if run.trace else 0 for run in ends]
    return max(steps) if all(steps) else 0


class _CauseSearch:
    """A search while it runs. The probers, one for each prompt, own what the probes have shown."""

    def __init__(
        self,
        audited: Audited,
        suspects: tuple[Difference, ...],
        generate: Generate,
        listener: ProgressListener,
        generate_all: GenerateAll | None,
    ) -> None:
        self._audited = audited
        self._suspects = suspects
        self._paths = [suspect.path for suspect in suspects]
        self._everything = frozenset(self._paths)
        self._execute, self._execute_all = generate, generate_all
        self._listener = listener
        self._announced = False
        self._first, *self._others = audited.prompts
        self._left, self._right = audited.ends(self._first)
        self._budget = Budget(audited.what.budget, _steps_of(self._left, self._right))
        self._probers: dict[str, Prober] = {}
        self._no_effect = without_effect(suspects, self._left, self._right)
        late = {path for path in self._paths if acts_from(path) >= Stage.DECODING}
        unlikely = {*self._no_effect, *(path for path in self._paths if path.startswith(_UNLIKELY))}
        self._tolerance = audited.tolerance(self._first)
        self._screening = Screening(self._paths, self._prober(self._first), unlikely, late)
        expected = {path for path in self._paths if path.split(".", 1)[0] in SEEN}
        self._visible = VisibleCause(self._paths, self._prober(self._first), self._screening, self._can_weigh, expected)
        self._reason: Fact | None = INTERRUPTED
        self._unproved: dict[str, Fact] = {}
        self._reruns: list[RunRecord] = []

    def run(self) -> SearchResult:
        """Search and prove, as far as budget and interruptions let it."""
        try:
            self._find_and_prove()
            if self._announced:
                self._listener.on_search_finished()
            return self._result()  # judges what was there anyway
        except KeyboardInterrupt:
            return self._result(interrupted=True)

    def _generate(self, run: Run) -> RunRecord:
        (record,) = self._announced_before([run], lambda runs: map(self._execute, runs))
        return record

    def _announced_before(self, runs: Sequence[Run], execute: GenerateAll) -> Iterable[RunRecord]:
        """Execute runs; the search is announced before the first, and not at all where none is needed."""
        if not self._announced:
            self._announced = True
            self._listener.on_search_started(self._progress)
        return execute(runs)

    def _find_and_prove(self) -> None:
        """Answer what people see and prove it; then what else changes the numbers, and what each member does."""
        spent = fact(FactKind.BUDGET_SPENT, budget=self._budget.most)
        try:
            self._measure_spread()
            cause = self._find()
            self._prove(self._first, cause)
            self._reason = None
        except BudgetSpentError:
            self._reason = spent
            return
        self._make_proofs_at_once(cause)
        for prompt in self._others:
            try:
                self._prove(prompt, cause)
            except BudgetSpentError:
                self._unproved[prompt] = spent
        with suppress(BudgetSpentError):
            self._screening.follow_each()
            self._screening.settle(cause)

    def _measure_spread(self) -> None:
        """Run the first steps of the target again where a re-run differs, so that no setting is blamed for it.

        Where no run can end after some steps, none is made for it: how far they are apart at a step stays unknown.
        """
        what, probes = self._audited.what, self._prober(self._first)
        if probes.early is None or not shows_spread(self._audited.runs(self._first)):
            return
        if not probes.early.possible:
            probes.early = replace(probes.early, spread=Spread(()))
            return
        steps = min(FIRST_STEPS, probes.early.steps)

        def generate(run: Run) -> RunRecord:
            self._budget.ensure(steps)
            made = self._generate(run)
            self._budget.spend(made, steps=steps)
            self._reruns.append(made)
            return made

        planned, seeds = self._audited.planned(self._first, what.target), self._audited.seeds(self._first)
        spread = measure_spread(self._right, planned, seeds, generate, reruns=what.reruns, steps=steps)
        probes.early = replace(probes.early, spread=spread)

    def _find(self) -> Subset:
        """Find the visible cause, and generate what the weights of its members need."""
        probes = self._prober(self._first)
        while True:
            cause = self._visible.find()
            if self._can_weigh(len(cause)):
                probes.whole_each(subsets_to_weigh(sorted(cause)))
            if self._visible.find() == cause:  # a run to the end may show that fewer suffice
                return cause

    def _can_weigh(self, members: int) -> bool:
        """Whether as many runs to the end as the weights of so many members need are affordable."""
        asked = self._audited.what.weights
        runs = len(subsets_to_weigh([str(number) for number in range(members)]))
        return asked == "full" or (asked == "auto" and runs * self._seconds_each <= AFFORDABLE_SECONDS)

    def _prove(self, prompt: str, cause: Subset) -> None:
        """Make proof and counter-proof, where both ends of the prompt were measured."""
        if not cause or unmeasured(*self._audited.ends(prompt)):
            return
        probes, counter = self._prober(prompt), self._everything - cause
        for subset, name in ((cause, PROOF), (counter, COUNTER_PROOF)):
            probes.whole(subset, name if counter else "")  # with everything changed, the two are the ends

    def _make_proofs_at_once(self, cause: Subset) -> None:
        """Make the proofs of the other prompts side by side, as far as the budget goes; then the store has them."""
        if self._execute_all is None or not cause:
            return
        proofs = ((cause, PROOF), (self._everything - cause, COUNTER_PROOF))
        prompts = [prompt for prompt in self._others if not unmeasured(*self._audited.ends(prompt))]
        wanted = (self._prober(prompt).to_come(subset, name) for prompt in prompts for subset, name in proofs)
        runs = [run for run in wanted if run is not None][: self._budget.affordable()]
        for _ in self._announced_before(runs, self._execute_all) if runs else ():
            pass

    def _prober(self, prompt: str) -> Prober:
        if prompt not in self._probers:
            target, tolerance = self._audited.ends(prompt)[1], self._audited.tolerance(prompt)
            levels = tolerance.levels if tolerance else 0.0
            far = self._audited.far(prompt, levels) if prompt == self._first else math.inf  # the others get proofs only
            self._probers[prompt] = Prober(
                self._audited.planned(prompt, self._audited.what.start),
                {suspect.path: suspect for suspect in self._suspects},
                self._generate,
                Judge(target, self._audited.folder, levels),
                self._budget,
                self._report,
                self._audited.known(prompt, self._everything),
                EarlyStops(target, self._audited.seeds(prompt), far),
                self._execute_all and partial(self._announced_before, execute=self._execute_all),
            )
        return self._probers[prompt]

    # ---- what listeners get

    def _report(self, run: RunRecord, changed: Subset, sight: Sight) -> None:
        self._listener.on_probe_finished(self._progress, run, changed, reproduced=sight.within)

    @property
    def _seconds_each(self) -> float:
        """The longer of the two ends; probes may share work with other runs, and then take less.

        The start of a script counts as the shortest that was measured: next to nothing where its call was repeated.
        """
        longer = max(self._left, self._right, key=lambda run: run.seconds)
        starts = [found.start for found in map(measured_by, self._audited.runs(self._first)) if found is not None]
        own = measured_by(longer)
        return longer.seconds if own is None else longer.seconds - own.start + min(starts)

    @property
    def _progress(self) -> SearchProgress:
        left = max(self._budget.most - self._budget.spent, 0.0)
        return SearchProgress(
            suspects=len(self._suspects),
            target=self._right.name,
            probes=self._budget.probes,
            spent=self._budget.spent,
            budget=self._budget.most,
            expected=min(self._expected, left),
            seconds_each=self._seconds_each,
        )

    @property
    def _expected(self) -> float:
        """About how many generations are still to come, if what people see acts in the first steps.

        It judges no run: what a run shows is known only once the spread of the machine is.
        """
        cause = self._visible.smallest if self._visible.found else None
        screens = self._screening.screens_left * self._budget.of(FIRST_STEPS)
        if cause is None and not self._prober(self._first).ends_early:
            screens = math.ceil(math.log2(len(self._paths)))
        proofs = 2 * len(self._audited.prompts)
        if cause is not None:
            proofs = sum(
                prompt not in self._probers or subset not in self._probers[prompt].runs
                for prompt in self._audited.prompts
                for subset in self._proofs_of(cause)
            )
        return screens + proofs + bool(self._screening.open(cause or frozenset()))

    def _proofs_of(self, cause: Subset) -> tuple[Subset, ...]:
        return (cause, self._everything - cause) if cause else ()

    # ---- what was found

    def _result(self, *, interrupted: bool = False) -> SearchResult:
        first = self._probers[self._first]
        cause = self._visible.smallest if self._visible.found else self._smallest_shown(first.sights)
        return SearchResult(
            self._left,
            self._right,
            self._suspects,
            no_effect=dict(self._no_effect),
            started=True,
            smallest=cause,
            known=dict(first.known),
            probes=dict(first.probes),
            sights=dict(first.sights),
            acting=dict(self._screening.acting),
            silent=dict(self._screening.silent),
            cost=self._budget.cost,
            tolerance=self._tolerance,
            spread=first.early.spread.record if first.early and first.early.spread else None,
            proofs=() if self._reason or not cause else tuple(self._proof(p, cause) for p in self._audited.prompts),
            generated=(*self._reruns, *(run for each in self._probers.values() for run in each.generated)),
            reason=self._reason,
            interrupted=interrupted,
        )

    def _smallest_shown(self, sights: Mapping[Subset, Sight]) -> Subset:
        """Return the smallest set that a run has shown to suffice so far, of several the one that was settled on."""
        shown = [changed for changed, sight in sights.items() if changed and sight.within]
        return min((self._visible.smallest, *shown), key=len)

    def _proof(self, prompt: str, cause: Subset) -> PromptProof:
        probes, reason = self._probers.get(prompt), unmeasured(*self._audited.ends(prompt))
        subsets = self._proofs_of(cause)
        proof, counter = (probes.runs.get(subset) if probes else None for subset in subsets)
        shown = [probes.sights[subset] if probes and subset in probes.runs else None for subset in subsets]
        if proof is None or counter is None:
            reason = reason or self._unproved.get(prompt, INTERRUPTED)
        else:
            reason = reason or unmeasured(proof, counter)
        return PromptProof(prompt, proof, counter, shown[0], shown[1], reason)
