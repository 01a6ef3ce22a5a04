"""Explain: carry the search for the cause out with real generations, then its proof on every prompt.

The key insight: cheap evidence comes first, and nothing is taken on trust. What can have no effect is left out of the
search, what the audit has generated anyway is no probe to be made, and the proof run at the end shows that both were
right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spacediff.explaining.priors import at_hand, in_order, without_effect
from spacediff.explaining.probes import COUNTER_PROOF, PROOF, Budget, Generate, Prober, Same
from spacediff.explaining.search import BudgetSpentError, Search, Subset, subsets_to_weigh
from spacediff.plan import Explanation, Plan
from spacediff.progress import ProgressListener, SearchProgress
from spacediff.record import RunRecord
from spacediff.settings import Difference, diff

INTERRUPTED = "the search was interrupted"


@dataclass
class PromptProof:
    """The proof on one more prompt, as far as it got.

    Attributes:
        prompt: Name of the prompt.
        left: Its run that is to be explained.
        right: Its matched end.
        proof: The first with only the cause changed; None while it is not made.
        counter: The second with only the cause taken back; None while it is not made.
        proof_reached: Whether the proof is the matched end's clip.
        counter_reached: Whether the counter-proof still is.
        reason: Why something is missing; empty when nothing is.
    """

    prompt: str
    left: RunRecord
    right: RunRecord
    proof: RunRecord | None = None
    counter: RunRecord | None = None
    proof_reached: bool | None = None
    counter_reached: bool | None = None
    reason: str = INTERRUPTED


@dataclass
class Explaining:
    """A search as it goes on; whatever ends it, its state can be told.

    Attributes:
        what: Between which runs, and with how many generations.
        left: The run to be explained.
        right: The matched end.
        suspects: What differs between them, the likeliest first.
        prompts: Names of the further prompts.
        innocent: Suspects that can have no effect, each with the reason.
        search: How far it got; None where it could not begin.
        known: Runs that were there anyway, by all that they change; the two ends among them.
        probes: The runs of the search, by what they change.
        reached: All of these that were judged, and how they came out; None where there is no clip.
        further: The proofs on further prompts.
        budget: The generations.
        reason: Why it did not come to its end; empty when it did.
    """

    what: Explanation
    left: RunRecord
    right: RunRecord
    suspects: list[Difference]
    prompts: Sequence[str] = ()
    innocent: dict[str, str] = field(default_factory=dict)
    search: Search | None = None
    known: dict[Subset, RunRecord] = field(default_factory=dict)
    probes: dict[Subset, RunRecord] = field(default_factory=dict)
    reached: dict[Subset, bool | None] = field(default_factory=dict)
    further: list[PromptProof] = field(default_factory=list)
    budget: Budget = field(init=False)
    reason: str = INTERRUPTED

    def __post_init__(self) -> None:
        self.budget = Budget(self.what.budget)

    @property
    def finished(self) -> bool:
        """Whether the search came to its end."""
        return not self.reason

    @property
    def everything(self) -> Subset:
        """All suspects."""
        return frozenset(difference.path for difference in self.suspects)

    @property
    def names(self) -> list[str]:
        """The suspects that have to be searched, the likeliest first."""
        return [difference.path for difference in self.suspects if difference.path not in self.innocent]

    @property
    def sufficient(self) -> Subset:
        """The smallest set that was seen to reach the matched end: everything, as long as nothing less was.

        What the search takes for sufficient rests on the innocents until a run shows it; this never does.
        """
        shown = (subset for subset, reached in self.reached.items() if reached)
        return min(shown, key=len, default=self.everything)

    @property
    def runs(self) -> dict[Subset, RunRecord]:
        """All runs of the searched prompt that the search has, by what they change."""
        return self.known | self.probes

    def without_innocents(self, runs: Iterable[Subset]) -> dict[Subset, Subset]:
        """Return what runs change of the suspects that are searched, to what they change; what changes less wins."""
        ordered = sorted(runs, key=len, reverse=True)
        return {changed.difference(self.innocent): changed for changed in ordered}

    @property
    def more(self) -> int:
        """About how many generations are still to come, at most the rest of the budget.

        The member that is being looked for counts as the last one.
        """
        if self.search is None:
            return 0
        tests = self.search.tests_left
        members = [*self.search.found, "the one looked for"] if tests else sorted(self.search.smallest)
        open_ = [subset for subset in subsets_to_weigh(members) if subset not in self.search.tested]
        weights = len(open_) - 1 if tests else len(open_)  # the last test is a subset to weigh
        ends = (self.search.smallest, self.everything - self.search.smallest)
        proof = 1 if tests else sum(subset not in self.reached for subset in ends)
        proofs = 2 * (len(self.prompts) - sum(not each.reason for each in self.further))
        return min(tests + max(weights, 0) + proof + proofs, self.budget.most - self.budget.spent)

    @property
    def seconds_each(self) -> float:
        """How long one generation takes at most: the longer of the two ends; probes may share work with others."""
        return max(self.left.seconds, self.right.seconds)

    @property
    def progress(self) -> SearchProgress:
        """How far it is, as listeners are told."""
        return SearchProgress(
            suspects=len(self.suspects),
            searched=len(self.names),
            target=self.right.name,
            spent=self.budget.spent,
            budget=self.budget.most,
            expected=self.more,
            seconds_each=self.seconds_each,
        )


def explain(
    plan: Plan, runs: Sequence[RunRecord], folder: Path, generate: Generate, listener: ProgressListener
) -> Iterator[Explaining]:
    """Search for the cause on the first prompt, and prove it on all.

    Args:
        plan: The plan, with the two ends.
        runs: What was carried out.
        folder: The audit folder.
        generate: Carries a run out.
        listener: Told how it goes on.

    Yields:
        The search, before it begins; it fills while the caller goes on, so that an interruption loses nothing.
    """
    if plan.explain is None:
        return
    first, *others = [prompt.name for prompt in plan.prompts]
    found = {(run.prompt, run.name): run for run in runs}
    left, right = found[first, plan.explain.left], found[first, plan.explain.right]
    suspects = in_order(diff(plan.explain.left_settings, plan.explain.right_settings), left, right)
    going = Explaining(plan.explain, left, right, suspects, others)
    yield going
    if obstacle := _obstacle(going):
        going.reason = obstacle
        return

    def told(run: RunRecord, changed: Subset, reached: bool | None) -> None:  # noqa: FBT001 - called by position
        listener.on_probe_finished(going.progress, run, changed, reproduced=reached)

    def prober(prompt: str) -> Prober:
        template = next(run for run in plan.runs if (run.prompt.name, run.name) == (prompt, going.what.left))
        of_prompt = [run for run in runs if run.prompt == prompt]
        same = Same(found[prompt, going.what.right], of_prompt, folder)
        return Prober(template, {each.path: each for each in suspects}, generate, same, going.budget, told)

    searching = prober(first)
    planned = at_hand((run for run in plan.runs if run.prompt.name == first), plan.explain)
    there = {subset: found[first, name] for subset, name in planned.items() if found[first, name].measured}
    going.known = searching.known = there | {frozenset[str](): left, going.everything: right}
    going.probes, going.reached = searching.made, searching.reached
    try:
        _searched(going, searching, listener)
        going.reason = ""
        _proved_further(going, prober, found)
    except BudgetSpentError:
        going.reason = f"the budget of {going.what.budget} generations was spent"
    listener.on_search_finished()


def _obstacle(going: Explaining) -> str:
    if missing := unmeasured(going.left, going.right):
        return missing
    if not going.suspects:
        return f"{going.left.name} and {going.right.name} declare the same settings"
    ours, theirs = going.left.clip, going.right.clip
    if ours and theirs and ours.digest == theirs.digest:
        return f"{going.left.name} and {going.right.name} give the same frames, byte for byte"
    return ""


def _searched(going: Explaining, prober: Prober, listener: ProgressListener) -> None:
    """Search the cause, weigh its members and prove it.

    Should the suspects that are left not suffice, one that was taken for innocent is not: then all are searched.
    """
    going.innocent = without_effect(going.suspects, going.left, going.right)
    if not going.names:
        going.innocent = {}
    search = _smallest(going, prober, listener)
    if not prober.reaches(search.smallest):
        going.innocent = {}
        search = _smallest(going, prober, listener)
    search.tested = (
        prober.reached
    )  # what was only told of a run with innocents in it is tested where the proof needs it
    cause = search.weigh()
    if cause < going.everything:
        prober.reaches(cause, PROOF)
        prober.reaches(going.everything - cause, COUNTER_PROOF)


def _smallest(going: Explaining, prober: Prober, listener: ProgressListener) -> Search:
    """Search the smallest set that suffices, as far as the suspects that are searched are all that count."""
    known = going.without_innocents(going.runs)
    tested = {subset: prober.reaches(changed) for subset, changed in known.items()}
    going.search = Search(going.names, prober.reaches, tested)
    listener.on_search_started(going.progress)
    going.search.run()
    going.search.confirm()
    return going.search


def _proved_further(
    going: Explaining, prober: Callable[[str], Prober], runs: Mapping[tuple[str, str], RunRecord]
) -> None:
    """Prove the cause on the further prompts; a budget that is spent leaves the rest unproved, and says so."""
    cause = going.search.smallest if going.search else frozenset[str]()
    ends = [(runs[prompt, going.what.left], runs[prompt, going.what.right]) for prompt in going.prompts]
    going.further = [PromptProof(left.prompt, left, right) for left, right in ends]
    for each in going.further:
        if missing := unmeasured(each.left, each.right):
            each.reason = missing
            continue
        there = prober(each.prompt)
        there.known = {frozenset[str](): each.left, going.everything: each.right}
        try:
            _prove(each, there, going, cause)
        except BudgetSpentError:
            each.reason = f"the budget of {going.what.budget} generations was spent"


def _prove(each: PromptProof, prober: Prober, going: Explaining, cause: Subset) -> None:
    counter = going.everything - cause
    each.proof_reached = prober.reaches(cause, PROOF if counter else "")
    each.proof = prober.run_of(cause)
    each.counter_reached = prober.reaches(counter, COUNTER_PROOF if counter else "")
    each.counter = prober.run_of(counter)
    each.reason = unmeasured(each.proof, each.counter)


def unmeasured(*runs: RunRecord) -> str:
    """Say which of some runs has no clip, and why; empty when each has."""
    return next((f"{run.name} was not measured: {run.reason}" for run in runs if not run.measured), "")
