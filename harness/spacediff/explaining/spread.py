"""The spread of a machine: how far runs with the same settings are apart, so that no setting is blamed for it.

The key insight: kernels that add in another order each time give other latents from the first step on, so that no
digest is equal and every setting seems to act. What re-runs of the first steps differ among each other is the measure:
a run that differs by no more says nothing about its setting.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

from spacediff.record import Role, RunRecord, SpreadRecord, StoppedRecord
from spacediff.record.derived.divergence import first_step
from spacediff.run import Run, Stop

FALSE_ALARMS = 0.001
"""Rate at which a run with the same settings comes out farther than `Spread.limit`."""


@dataclass(frozen=True)
class Spread:
    """How far re-runs of a run are from it, step by step.

    Attributes:
        relative: Of each re-run the distance of its latents after each step, by the norm of the run's.
    """

    relative: tuple[tuple[float, ...], ...]

    @property
    def reruns(self) -> int:
        """Number of re-runs."""
        return len(self.relative)

    @property
    def steps(self) -> int:
        """Number of steps that all of them made."""
        return min(map(len, self.relative), default=0)

    def limit(self, step: int) -> float:
        """Return the largest relative distance after a step, from 1, that is put down to the machine.

        It is the upper limit of a prediction interval for one more re-run with the same settings, and no less than the
        largest that was seen: mean + t s sqrt(1 + 1/n) of the n distances, with t the quantile of Student's
        distribution for the rate `FALSE_ALARMS` (Hahn and Meeker, "Statistical Intervals", 1991, section 4.8). The sum
        of many small errors, each distance is nearly normal. Infinite for fewer than two re-runs that differ at all.
        """
        from scipy.stats import t

        found = [each[step - 1] for each in self.relative]
        if not any(found):
            return 0.0
        if len(found) < 2:  # noqa: PLR2004 - one has no deviation
            return math.inf
        quantile = float(t.ppf(1 - FALSE_ALARMS, len(found) - 1))
        return max(*found, fmean(found) + quantile * stdev(found) * math.sqrt(1 + 1 / len(found)))

    @property
    def record(self) -> SpreadRecord:
        """What is recorded of it."""
        limits = [self.limit(step) for step in range(1, self.steps + 1)]
        return SpreadRecord(reruns=self.reruns, limits=limits, false_alarms=FALSE_ALARMS)

    def covers(self, stopped: StoppedRecord) -> bool | None:
        """Return whether a run that ended early differs by no more than re-runs do at every step that both made.

        None where that is unknown: no step is shared, or distances were not measured.
        """
        relative = stopped.relative[: self.steps]
        if not relative or None in relative:
            return None
        return all(each <= self.limit(step) for step, each in enumerate(relative, 1) if each is not None)


def shows_spread(runs: Iterable[RunRecord]) -> bool:
    """Whether a step or the clip of a re-run is known to differ from the baseline's in any bit."""
    there = tuple(runs)
    baseline = next((run for run in there if run.role is Role.BASELINE), None)
    return baseline is not None and any(_differ(baseline, run) for run in there if run.role is Role.RERUN)


def _differ(baseline: RunRecord, rerun: RunRecord) -> bool:
    ours, theirs = baseline.trace, rerun.trace
    if ours and theirs and first_step(ours.steps, theirs.steps) is not None:
        return True
    return bool(baseline.clip and rerun.clip and baseline.clip.digest != rerun.clip.digest)


def measure_spread(
    target: RunRecord,
    planned: Run,
    seeds: Sequence[str],
    generate: Callable[[Run], RunRecord],
    *,
    reruns: int,
    steps: int,
) -> Spread:
    """Run the first steps of the target again, and return how far they are from it.

    All re-runs are made even where the first is equal, since a machine may repeat itself only sometimes. A run that
    could not be ended there shows nothing, and no further one is made.

    Args:
        target: The run that screens are compared with.
        planned: The same as it was planned.
        seeds: Keys of the runs that give the unit of distances; see `spacediff.run.Stop`.
        generate: Executes a run.
        reruns: How many re-runs.
        steps: How many steps each makes.
    """
    stop = Stop(target.key, tuple(seeds), after=steps, last=steps)
    found: list[tuple[float, ...]] = []
    for number in range(1, reruns + 1):
        again = replace(planned, name=f"rerun-{number}", role=Role.SCREEN, repeat=number, stop=stop, is_target=False)
        stopped = generate(again).stopped
        if stopped is None:
            break
        if None not in stopped.relative:
            found.append(tuple(each for each in stopped.relative if each is not None))
    return Spread(tuple(found))
