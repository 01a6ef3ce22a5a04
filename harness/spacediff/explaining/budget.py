"""The budget of a search, in generations: what is counted are the denoising steps that were made."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from spacediff.explaining.search import BudgetSpentError, Subset
from spacediff.record import CostRecord, RunRecord

_ROUNDING = 1e-9


@dataclass
class Budget:
    """What a search may generate.

    Attributes:
        most: At most so many generations.
        steps: The denoising steps of one; 0 where they are not observed, so that each run counts as a whole one.
        spent: Generations so far; a fraction for a run that ended early.
        made: Denoising steps so far.
        probes: Runs so far.
        overshot: Whether a run has made more steps than it was asked for, so that none is trusted to end early. Each is
            paid as a whole one from then on, so that no search costs more than one generation above its budget.
    """

    most: float
    steps: int
    spent: float = 0.0
    made: int = 0
    probes: int = 0
    overshot: bool = False
    _asked: set[tuple[str, Subset]] = field(default_factory=set, init=False)

    def ensure(self, steps: int | None = None) -> None:
        """Make sure that a run can be paid whatever it shows, one of at most so many steps or a whole one.

        Raises:
            BudgetSpentError: It cannot.
        """
        if self.spent + self.of(None if self.overshot else steps) > self.most + _ROUNDING:
            raise BudgetSpentError

    def affordable(self, steps: int | None = None) -> int:
        """Return how many runs of at most so many steps, or whole ones, can be paid whatever they show."""
        return math.floor((self.most - self.spent + _ROUNDING) / self.of(None if self.overshot else steps))

    def of(self, steps: int | None) -> float:
        """Return how many generations some steps are; one where their number is unknown."""
        return 1.0 if steps is None or not self.steps else min(steps / self.steps, 1.0)

    def spend(self, run: RunRecord, changed: Subset | None = None, steps: int | None = None) -> None:
        """Count a run: the steps that were made for it, none where it only decodes what another run has denoised.

        Args:
            run: The run.
            changed: The suspects that it changes; None for a run that only early stops need.
            steps: At most so many steps it was asked for; None for a whole one.
        """
        made = run.steps_made if self.steps else None
        if steps is not None and run.measured and (self.steps if made is None else made) > steps:
            self.overshot = True
        self.probes += 1
        self.made += self.steps if made is None else made
        self.spent += 1.0 if made is None else made / self.steps
        if changed is not None and made != 0:
            self._asked.add((run.prompt, changed))

    @property
    def cost(self) -> CostRecord:
        """What was spent so far."""
        return CostRecord(
            probes=self.probes,
            steps=self.made,
            steps_each=self.steps,
            generations=self.spent,
            whole=len(self._asked),
        )
