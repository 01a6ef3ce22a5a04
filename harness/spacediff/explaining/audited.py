"""What an audit has before the search for the cause: its plan and its runs, by prompt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from spacediff.errors import NotMeasuredError
from spacediff.explaining.early_stops import far_from
from spacediff.explaining.judging import worst_between
from spacediff.explaining.priors import at_hand
from spacediff.explaining.search import Subset
from spacediff.explaining.tolerance import tolerance_of
from spacediff.plan import Explanation, Plan
from spacediff.record import Fact, FactKind, Role, RunRecord, ToleranceRecord, fact, quoted
from spacediff.run import Run


class Audited:
    """What the audit has before the search: its plan and its runs, by prompt."""

    def __init__(self, plan: Plan, what: Explanation, runs: Sequence[RunRecord], folder: Path) -> None:
        self.what = what
        self.folder = folder
        self.prompts = [prompt.name for prompt in plan.prompts]
        self._plan = plan
        self._runs = {(run.prompt, run.name): run for run in runs}
        self._tolerances: dict[str, ToleranceRecord | None] = {}

    def ends(self, prompt: str) -> tuple[RunRecord, RunRecord]:
        """Return a prompt's run to be explained, and its target."""
        return self._runs[prompt, self.what.start], self._runs[prompt, self.what.target]

    def runs(self, prompt: str) -> list[RunRecord]:
        """Return the runs of a prompt."""
        return [run for (name, _), run in self._runs.items() if name == prompt]

    def seeds(self, prompt: str) -> tuple[str, ...]:
        """Return the keys of the runs that differ in nothing but their seed."""
        return tuple(run.key for run in self.runs(prompt) if run.role is Role.SEED and run.measured)

    def tolerance(self, prompt: str) -> ToleranceRecord | None:
        """Return what counts as a difference that people see; None where that cannot be measured."""
        if prompt not in self._tolerances:
            target = self.ends(prompt)[1]
            reference = self._runs.get((prompt, self._plan.reference), target)
            self._tolerances[prompt] = None
            with suppress(NotMeasuredError):
                found = tolerance_of(self.what.tolerance, target, reference, self.runs(prompt), self.folder)
                self._tolerances[prompt] = found
        return self._tolerances[prompt]

    def far(self, prompt: str, limit: float) -> float:
        """Return the distance of latents from which on a clip is certainly beyond a limit; infinite if unknown."""
        target = self.ends(prompt)[1].clip
        clips = [run.clip for run in self.runs(prompt) if run.role is Role.SEED and run.clip]
        with suppress(NotMeasuredError):
            worst = [worst_between(target, clip, self.folder) for clip in clips if target]
            errors = [tile.error if tile else 0.0 for tile in worst]
            if min(errors, default=0.0) > 0:
                return far_from(limit, min(errors))
        return math.inf

    def planned(self, prompt: str, name: str) -> Run:
        """Return a run as it was planned."""
        return next(run for run in self._planned(prompt) if run.name == name)

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


def unmeasured(*runs: RunRecord) -> Fact | None:
    """Return which of some runs has no clip, and why; None when each has."""
    missing = (fact(FactKind.RUN_NOT_MEASURED, quoted(run.reason), run=run.name) for run in runs if not run.measured)
    return next(missing, None)
