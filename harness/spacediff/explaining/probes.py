"""Probes: runs with some of the suspects changed, and whether their clips are the matched end's.

The key insight: a probe is a run like any other, so the store keeps it, and runs that share work share it here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from spacediff.clip import read_frames
from spacediff.comparing.scale import errors_of
from spacediff.explaining.search import BudgetSpentError, Subset
from spacediff.metrics import METRICS
from spacediff.metrics.scoring import score
from spacediff.plan import Run
from spacediff.record import Role, RunRecord
from spacediff.settings import Difference, Settings

PROOF, COUNTER_PROOF = "proof", "counter-proof"

Generate = Callable[[Run], RunRecord]


@dataclass
class Budget:
    """How many generations may be spent.

    Attributes:
        most: So many.
        spent: How many were.
    """

    most: int
    spent: int = 0

    def spend(self) -> None:
        """Count one generation.

        Raises:
            BudgetSpentError: None is left.
        """
        if self.spent >= self.most:
            raise BudgetSpentError
        self.spent += 1


class Same:
    """Tells whether a clip is the matched end's: byte for byte, or within what a re-run differs where it does.

    Frames that were judged once are not looked at again: runs with equal traces give equal frames.

    Args:
        right: The matched end.
        runs: What was carried out for its prompt; the baseline and its re-run tell what a re-run differs.
        folder: The audit folder.
    """

    def __init__(self, right: RunRecord, runs: Iterable[RunRecord], folder: Path) -> None:
        self._right = right
        self._folder = folder
        of_role = {run.role: run for run in runs}
        baseline, rerun = of_role.get(Role.BASELINE), of_role.get(Role.RERUN)
        self._floor = self._errors(baseline, rerun) if baseline and rerun else {}
        self._judged: dict[str, bool] = {}

    def __call__(self, run: RunRecord) -> bool | None:
        """Return whether a run's clip is the matched end's; None where there is no clip to tell it from."""
        if run.clip is None or self._right.clip is None:
            return None
        if run.clip.digest not in self._judged:
            self._judged[run.clip.digest] = self._judge(run)
        return self._judged[run.clip.digest]

    def _judge(self, run: RunRecord) -> bool:
        if run.clip and self._right.clip and run.clip.digest == self._right.clip.digest:
            return True
        if not any(self._floor.values()):
            return False
        errors = self._errors(self._right, run)
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
    """Generates with a subset of the suspects changed, each subset once, within the budget.

    Attributes:
        template: The end that is to be explained, as a run.
        differences: What differs between the two ends.
        generate: Carries a run out.
        same: Tells whether a clip is the matched end's.
        budget: How many generations may be spent.
        told: Hears what each probe has shown.
        known: Runs that were there anyway, the two ends among them.
        made: The probes, by what they change.
        reached: Every subset that was judged, and how it came out; None where there is no clip.
    """

    template: Run
    differences: Mapping[str, Difference]
    generate: Generate
    same: Same
    budget: Budget
    told: Callable[[RunRecord, Subset, bool | None], None]
    known: Mapping[Subset, RunRecord] = field(default_factory=dict)
    made: dict[Subset, RunRecord] = field(default_factory=dict)
    reached: dict[Subset, bool | None] = field(default_factory=dict)

    def reaches(self, subset: Subset, name: str = "") -> bool | None:
        """Return whether a subset gives the matched end's clip; a probe may be given a name of its own.

        To name what was there already spends nothing, since the store has it.

        Raises:
            BudgetSpentError: It would have to be generated, and nothing is left to spend.
        """
        spent = self.budget.spent
        run = self._asked(subset, name)
        self.reached[subset] = self.same(run)
        if self.budget.spent > spent:
            self.told(run, subset, self.reached[subset])
        return self.reached[subset]

    def run_of(self, subset: Subset) -> RunRecord:
        """Return the run with a subset changed, which was judged before."""
        return self.made.get(subset) or self.known[subset]

    def _asked(self, subset: Subset, name: str) -> RunRecord:
        there = self.made.get(subset) or self.known.get(subset)
        if there is None:
            self.budget.spend()
        elif not name or there.name == name:
            return there
        self.made[subset] = self.generate(self._run(subset, name or f"probe-{len(self.made) + 1}"))
        return self.made[subset]

    def _run(self, subset: Subset, name: str) -> Run:
        changes = Settings({path: right for path in subset if (right := self.differences[path].right) is not None})
        taken = {path for path in subset if self.differences[path].right is None}
        kept = Settings({path: value for path, value in self.template.settings.items() if path not in taken})
        role = Role.VARIANT if name in {PROOF, COUNTER_PROOF} else Role.PROBE
        return replace(
            self.template, name=name, role=role, settings=kept.changed_by(changes), changes=changes, repeat=0
        )
