"""Runs that are compared step by step: one that ended early, and re-runs on a machine that does not repeat itself."""

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


class DeterminismRecord(Record):
    """Whether deterministic algorithms make a machine repeat itself on which a re-run of the baseline differs.

    Attributes:
        prompt: Name of the prompt.
        declared: Whether the baseline itself declares them, so that the baseline and its re-run show it.
        runs: Names of the two runs with deterministic algorithms; empty where they were not made.
        equal: Whether the two are equal, bit for bit: in every pixel, and in the latents of every step that was seen;
            None where that is unknown.
        steps: Number of steps whose latents were seen of both; 0 where none were.
        first: The first step whose latents differ, from 1; None where none is known to.
        reason: Why it is unknown; empty where it is known or was not asked.
    """

    prompt: str
    declared: bool = False
    runs: list[str] = []
    equal: bool | None = None
    steps: int = 0
    first: int | None = None
    reason: str = ""


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
