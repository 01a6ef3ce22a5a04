"""Explain: search for the cause with real generations, then prove it on every prompt.

The key insight: cheap evidence comes first, and nothing is taken on trust. What can have no effect is left out of the
search, what the audit has generated anyway is no probe to be made, and the proof run at the end shows that both were
right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from spacediff.comparing.contents import shows_nothing
from spacediff.explaining.judging import Judge
from spacediff.explaining.priors import at_hand, in_order, without_effect
from spacediff.explaining.probes import COUNTER_PROOF, PROOF, Budget, Generate, Prober
from spacediff.explaining.result import INTERRUPTED, PromptProof, SearchResult
from spacediff.explaining.search import BudgetSpentError, Search, Subset, subsets_to_weigh
from spacediff.explaining.units import differing
from spacediff.plan import Explanation, Plan
from spacediff.progress import ProgressListener, SearchProgress
from spacediff.record import Fact, FactKind, RunRecord, fact, quoted
from spacediff.run import Run
from spacediff.settings import Difference


def explain(
    plan: Plan, runs: Sequence[RunRecord], folder: Path, generate: Generate, listener: ProgressListener
) -> SearchResult | None:
    """Search for the cause on the first prompt, and prove it on all.

    An interruption or a spent budget ends the search; the result holds everything found until then.

    Args:
        plan: The plan, with the two ends.
        runs: The runs of the plan.
        folder: The audit folder.
        generate: Executes a run.
        listener: Called with the progress.

    Returns:
        What was found; None where the plan asks for no search.
    """
    if plan.explain is None:
        return None
    audited = _Audited(plan, plan.explain, runs, folder)
    left, right = audited.ends(plan.prompts[0].name)
    suspects = tuple(in_order(differing(plan.explain.start_settings, plan.explain.target_settings), left, right))
    if reason := _nothing_to_search(left, right, suspects):
        return SearchResult(left, right, suspects, reason=reason)
    return _CauseSearch(audited, suspects, generate, listener).run()


def _nothing_to_search(left: RunRecord, right: RunRecord, suspects: Sequence[Difference]) -> Fact | None:
    """Return why there is nothing to search; None where there is."""
    if missing := _unmeasured(left, right):
        return missing
    if not suspects:
        return fact(FactKind.SAME_SETTINGS, start=left.name, target=right.name)
    if shows_nothing(right):
        return fact(FactKind.TARGET_SHOWS_NOTHING, target=right.name)
    if left.clip and right.clip and left.clip.digest == right.clip.digest:
        return fact(FactKind.SAME_FRAMES, start=left.name, target=right.name)
    return None


def _unmeasured(*runs: RunRecord) -> Fact | None:
    """Return which of some runs has no clip, and why; None when each has."""
    missing = (fact(FactKind.RUN_NOT_MEASURED, quoted(run.reason), run=run.name) for run in runs if not run.measured)
    return next(missing, None)


class _Audited:
    """What the audit has before the search: its plan and its runs, by prompt."""

    def __init__(self, plan: Plan, what: Explanation, runs: Sequence[RunRecord], folder: Path) -> None:
        self.what = what
        self.folder = folder
        self.prompts = [prompt.name for prompt in plan.prompts]
        self._plan = plan
        self._runs = {(run.prompt, run.name): run for run in runs}

    def ends(self, prompt: str) -> tuple[RunRecord, RunRecord]:
        """Return a prompt's run to be explained, and its target."""
        return self._runs[prompt, self.what.start], self._runs[prompt, self.what.target]

    def runs(self, prompt: str) -> list[RunRecord]:
        return [run for (name, _), run in self._runs.items() if name == prompt]

    def template(self, prompt: str) -> Run:
        """Return the run to be explained as it was planned."""
        return next(run for run in self._planned(prompt) if run.name == self.what.start)

    def known(self, prompt: str, everything: Subset) -> dict[Subset, RunRecord]:
        """Return the runs that are known before the search, by the suspects that they change."""
        left, right = self.ends(prompt)
        ends = {frozenset[str](): left, everything: right}
        if prompt != self.prompts[0]:
            return ends
        planned = at_hand(self._planned(prompt), self.what)
        found = {subset: self._runs[prompt, name] for subset, name in planned.items()}
        return {subset: run for subset, run in found.items() if run.measured} | ends

    def _planned(self, prompt: str) -> list[Run]:
        return [run for run in self._plan.runs if run.prompt.name == prompt]


class _CauseSearch:
    """A search while it runs. The probers, one for each prompt, own the outcomes of the probes."""

    def __init__(
        self, audited: _Audited, suspects: tuple[Difference, ...], generate: Generate, listener: ProgressListener
    ) -> None:
        self._audited = audited
        self._suspects = suspects
        self._everything = frozenset(suspect.path for suspect in suspects)
        self._generate = generate
        self._listener = listener
        self._first, *self._others = audited.prompts
        self._left, self._right = audited.ends(self._first)
        self._budget = Budget(audited.what.budget)
        self._probers: dict[str, Prober] = {}
        self._no_effect: dict[str, Fact] = {}
        self._search: Search | None = None
        self._reason: Fact | None = INTERRUPTED
        self._unproved: dict[str, Fact] = {}

    def run(self) -> SearchResult:
        """Search and prove, as far as budget and interruptions let it."""
        try:
            self._find_and_prove()
            self._listener.on_search_finished()
        except KeyboardInterrupt:
            return self._result(interrupted=True)
        return self._result()

    def _find_and_prove(self) -> None:
        spent = fact(FactKind.BUDGET_SPENT, budget=self._budget.most)
        try:
            cause = self._find()
            self._prove(self._first, cause)
            self._reason = None
        except BudgetSpentError:
            self._reason = spent
            return
        for prompt in self._others:
            try:
                self._prove(prompt, cause)
            except BudgetSpentError:
                self._unproved[prompt] = spent

    def _find(self) -> Subset:
        """Search the cause and weigh its members.

        Should the suspects that are searched not suffice, one of the others has an effect: then all are searched.
        """
        probes = self._prober(self._first)
        self._no_effect = without_effect(self._suspects, self._left, self._right)
        if not self._searched:
            self._no_effect = {}
        search = self._smallest(probes)
        if not probes.reproduces(search.smallest):
            self._no_effect = {}
            search = self._smallest(probes)
        # an outcome that was only inferred from a run that changes more is tested where the proof needs it
        self._search = search.rebased(probes.outcomes)
        return self._search.weigh()

    def _smallest(self, probes: Prober) -> Search:
        """Search the smallest set that suffices, if the suspects that are searched are all that have an effect."""
        known = self._projected(probes.runs)
        outcomes = {subset: probes.reproduces(changed) for subset, changed in known.items()}
        self._search = search = Search(self._searched, probes.reproduces, outcomes)
        self._listener.on_search_started(self._progress)
        search.run()
        search.confirm()
        return search

    @property
    def _searched(self) -> list[str]:
        """The suspects that have to be searched, the likeliest first."""
        return [suspect.path for suspect in self._suspects if suspect.path not in self._no_effect]

    def _projected(self, runs: Iterable[Subset]) -> dict[Subset, Subset]:
        """Map what runs change of the searched suspects to all that they change; of several, the fewest changes."""
        ordered = sorted(runs, key=len, reverse=True)
        return {changed.difference(self._no_effect): changed for changed in ordered}

    def _prove(self, prompt: str, cause: Subset) -> None:
        """Make proof and counter-proof, where both ends of the prompt were measured."""
        if _unmeasured(*self._audited.ends(prompt)):
            return
        probes, counter = self._prober(prompt), self._everything - cause
        for subset, name in ((cause, PROOF), (counter, COUNTER_PROOF)):
            probes.reproduces(subset, name if counter else "")  # with everything changed, the two are the ends

    def _prober(self, prompt: str) -> Prober:
        if prompt not in self._probers:
            self._probers[prompt] = Prober(
                self._audited.template(prompt),
                {suspect.path: suspect for suspect in self._suspects},
                self._generate,
                Judge(self._audited.ends(prompt)[1], self._audited.runs(prompt), self._audited.folder, 0.0),
                self._budget,
                self._report,
                self._audited.known(prompt, self._everything),
            )
        return self._probers[prompt]

    # ---- what listeners get

    def _report(self, run: RunRecord, changed: Subset, reproduced: bool | None) -> None:  # noqa: FBT001 - by position
        self._listener.on_probe_finished(self._progress, run, changed, reproduced=reproduced)

    @property
    def _progress(self) -> SearchProgress:
        return SearchProgress(
            suspects=len(self._suspects),
            searched=len(self._searched),
            target=self._right.name,
            spent=self._budget.spent,
            budget=self._budget.most,
            expected=min(self._expected, self._budget.most - self._budget.spent),
            # the longer of the two ends: probes may share work with other runs, and then take less
            seconds_each=max(self._left.seconds, self._right.seconds),
        )

    @property
    def _expected(self) -> int:
        """About how many clips are still to be generated, if the member that is being looked for is the last one."""
        search = self._search
        if search is None:
            return 0
        done = self._outcomes(self._first)
        tests = search.tests_left
        members = [*search.found, "the one looked for"] if tests else sorted(search.smallest)
        untested = [subset for subset in subsets_to_weigh(members) if subset not in {*search.tested, *done}]
        weights = len(untested) - 1 if tests else len(untested)  # the last test is a subset to weigh
        proofs = (search.smallest, self._everything - search.smallest)
        proof = 1 if tests else sum(subset not in done for subset in proofs)
        further = sum(subset not in self._outcomes(prompt) for prompt in self._others for subset in proofs)
        return tests + max(weights, 0) + proof + further

    def _outcomes(self, prompt: str) -> Mapping[Subset, bool | None]:
        return self._probers[prompt].outcomes if prompt in self._probers else {}

    # ---- what was found

    def _result(self, *, interrupted: bool = False) -> SearchResult:
        first, search = self._probers.get(self._first), self._search
        cause = search.smallest if search else frozenset[str]()
        return SearchResult(
            self._left,
            self._right,
            self._suspects,
            no_effect=dict(self._no_effect),
            started=search is not None,
            smallest=cause,
            known=dict(first.known) if first else {},
            probes=dict(first.probes) if first else {},
            reproduced=dict(first.outcomes) if first else {},
            proofs=() if self._reason else tuple(self._proof(prompt, cause) for prompt in self._audited.prompts),
            generated=tuple(run for each in self._probers.values() for run in each.generated),
            reason=self._reason,
            interrupted=interrupted,
        )

    def _proof(self, prompt: str, cause: Subset) -> PromptProof:
        outcomes = self._outcomes(prompt)
        proof, counter = (
            self._probers[prompt].runs[subset] if subset in outcomes else None
            for subset in (cause, self._everything - cause)
        )
        reason = _unmeasured(*self._audited.ends(prompt))
        if proof is None or counter is None:
            reason = reason or self._unproved.get(prompt, INTERRUPTED)
        else:
            reason = reason or _unmeasured(proof, counter)
        return PromptProof(
            prompt, proof, counter, outcomes.get(cause), outcomes.get(self._everything - cause), reason=reason
        )
