"""A run that ended early: how far it went, and where it left the run that it is compared with."""

from __future__ import annotations

from spacediff.record.base import Number, Record
from spacediff.record.trace import Stage


class SpreadRecord(Record):
    """How far re-runs of the first steps of the target are apart, on a machine that does not repeat itself.

    Attributes:
        reruns: Number of re-runs.
        limits: For each step the largest distance, by the norm of the latents, that is put down to the machine.
        false_alarms: Rate at which a run with the same settings is farther.
    """

    reruns: int
    limits: list[Number]
    false_alarms: float


class StoppedRecord(Record):
    """A run that ended before its clip, since what it was to show had been seen. It is no failure.

    Steps are counted from 1. All lists have an entry for each step that was compared, whether the run made it or took
    it over: the first `step` steps.

    Attributes:
        target: Key of the run that it is compared with.
        step: The step after which it ended; `steps` where it ended before the decoding.
        steps: Number of steps of the target.
        first: The first step whose latents differ from the target's in any bit; None where every step is equal.
        before: What already differed before the first step: the text embedding, the input encoding or the initial
            noise; None where nothing is known to differ.
        unobserved: What of `text`, `inputs` and `noise` was not seen of one of the two, so that it may differ.
        distances: Distance of the latents to the target's, as a share of the distance between other seeds at that
            step; None where it is unknown: no latents are kept, or shapes, scalings or numbers of steps differ.
        relative: The same distance by the norm of the target's latents.
        resolution: Relative distance below which `relative` says nothing, because the target's latents are kept in half
            precision only; 0 where they are kept exactly. Whether two steps are equal is known exactly in either case.
        same_noise: Whether the last step had the target's timestep; at other noise levels latents are far apart and may
            still come to the same clip.
        made: Number of steps that were computed for it; 0 where all were taken over from another run.
    """

    target: str
    step: int
    steps: int
    first: int | None = None
    before: Stage | None = None
    unobserved: list[str] = []
    distances: list[float | None] = []
    relative: list[float | None] = []
    resolution: float = 0.0
    same_noise: bool = False
    made: int

    @property
    def distance(self) -> float | None:
        """The last known distance, as a share of the distance between other seeds."""
        return next((each for each in reversed(self.distances) if each is not None), None)

    @property
    def is_equal(self) -> bool:
        """Whether every step of the target was compared and is equal, bit for bit."""
        return self.first is None and self.step >= self.steps
