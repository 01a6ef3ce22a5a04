"""Follow a call step by step in comparison with a run that is kept, until enough is seen of how they differ.

The key insight: whether and how a setting acts shows in the first steps. Digests show bitwise whether a step is equal,
and the distance to the kept latents, by that between seeds, how much it differs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from .observation import Step
from .scaling import CONVERTIBLE, scaling_of
from .tensors import digest, number

if TYPE_CHECKING:
    import torch

    from .observer import Observer

Latents = Callable[[int], "torch.Tensor | None"]
"""Returns the latents after a step, counted from 1, on the CPU in any float dtype; None where they are not kept."""

HALF = 2.0**-11
"""Largest relative error of a value of float32 that is kept in half precision."""
_LATENTS = "latents."
STEPS = "num_inference_steps"
"""The argument of a call without which two runs have no steps that can be compared."""


class RunEndedError(BaseException):
    """Ends a pipeline's call in which enough was seen; no `except Exception` of a pipeline takes it for a failure."""


@dataclass(frozen=True)
class KeptRun:
    """What is kept of a run.

    Attributes:
        digests: Digest of the latents after each step.
        timesteps: Timestep of each step; None where it is unknown.
        signals: Factor of the clean sample in what each step was given; None where it is unknown.
        scaling: How sample and noise are scaled in its latents; see `spacediff.observer.scaling`.
        latents: Its latents.
    """

    digests: tuple[str, ...]
    timesteps: tuple[float | None, ...]
    signals: tuple[float | None, ...]
    scaling: str
    latents: Latents

    def signal(self, step: int) -> float | None:
        """Return the factor of the clean sample in the latents after a step; None if it is unknown.

        What a step was given is what the one before returned; after the last, no noise is left.
        """
        return self.signals[step] if step < len(self.signals) else 1.0


class Seeds:
    """Runs that differ in nothing but their seed.

    Args:
        runs: The runs; fewer than two give no distance.
    """

    def __init__(self, runs: Sequence[KeptRun]) -> None:
        self._runs = runs
        self._known: dict[int, float | None] = {}

    def distance(self, step: int, target: KeptRun) -> float | None:
        """Return the mean distance of two of them after a step, in the target's scaling; None if it is unknown."""
        if not self._runs or any(len(run.digests) != len(target.digests) for run in self._runs):
            return None
        if step not in self._known:
            self._known[step] = self._mean(step)
        first, mean = self._runs[0], self._known[step]
        factor = factor_to(first.scaling, first.signal(step), target, step)
        return None if mean is None or factor is None else mean * factor

    def _mean(self, step: int) -> float | None:
        latents = [run.latents(step) for run in self._runs]
        found = [distance(one, other) for one, other in combinations(latents, 2)]
        known = [each for each in found if each is not None]
        return sum(known) / len(known) if known and len(known) == len(found) else None


@dataclass(frozen=True)
class Ending:
    """When a call ends that is followed; see `spacediff.run.Stop`.

    Attributes:
        after: How many steps to make after the first that differs.
        far: Go on until the distance, in the unit of the seeds, is at least this; None ends at `after`.
        last: The last step to make, whatever was seen; None for no such limit.
    """

    after: int = 0
    far: float | None = None
    last: int | None = None


@dataclass(frozen=True)
class Divergence:
    """How a run differs from its target, step by step; see `spacediff.record.StoppedRecord`."""

    first: int | None
    distances: tuple[float | None, ...]
    relative: tuple[float | None, ...]
    resolution: float


class Following:
    """Compares the steps of one call with those of a kept run.

    Args:
        target: The run that it is compared with.
        seeds: The runs that give the unit of the distances.
        ending: When enough is seen.
        comparable: Whether the two make the same number of steps, so that distances say something.

    Attributes:
        first: The first step that differs in any bit, or in its timestep; None as long as none does.
    """

    def __init__(self, target: KeptRun, seeds: Seeds, ending: Ending, *, comparable: bool) -> None:
        self.first: int | None = None
        self._target = target
        self._seeds = seeds
        self._ending = ending
        self._comparable = comparable
        self._distances: list[float | None] = []
        self._relative: list[float | None] = []
        self._resolution = 0.0
        self._same_noise = False

    @property
    def divergence(self) -> Divergence:
        """What was seen so far."""
        return Divergence(self.first, tuple(self._distances), tuple(self._relative), self._resolution)

    @property
    def all_equal(self) -> bool:
        """Whether all steps of the target were made, and none differs."""
        return self.first is None and 0 < len(self._target.digests) == len(self._distances)

    def take_equal(self) -> None:
        """Note that all steps are known to be equal."""
        self._distances = self._relative = [0.0] * len(self._target.digests)

    def see(
        self, step: int, found: Step, latents: torch.Tensor | None, scaling: str, signal: Callable[[], float | None]
    ) -> bool:
        """Compare a step, and return whether enough was seen.

        Args:
            step: Its number, from 1.
            found: What was observed of it.
            latents: The latents after it, on the CPU.
            scaling: How sample and noise are scaled in them.
            signal: Returns the factor of the clean sample in them; None if it is unknown.
        """
        self._compare(step, found, latents, scaling, signal)
        return self._is_enough(step)

    def _compare(
        self, step: int, found: Step, latents: torch.Tensor | None, scaling: str, signal: Callable[[], float | None]
    ) -> None:
        known = step <= len(self._target.digests)
        expected = self._target.digests[step - 1] if known else ""
        timestep = self._target.timesteps[step - 1] if known else None
        self._same_noise = timestep is not None and timestep == found.timestep
        if known and expected == found.digest:
            self._note(0.0, 0.0)
        elif not known or latents is None or not self._comparable:
            self._note(None, None)
        else:
            self._measure(step, expected, latents, factor_to(scaling, signal(), self._target, step))
        moved = None not in {timestep, found.timestep} and timestep != found.timestep
        if self.first is None and (not known or expected != found.digest or moved):
            self.first = step

    def _measure(self, step: int, expected: str, latents: torch.Tensor, factor: float | None) -> None:
        theirs = self._target.latents(step)
        apart = distance(theirs, latents if factor in {None, 1.0} else latents.double() * factor)
        if theirs is None or apart is None or factor is None:
            self._note(None, None)
            return
        if not _is_exact(theirs, expected):
            self._resolution = HALF
        norm, unit = _norm(theirs), self._seeds.distance(step, self._target)
        self._note(apart / unit if unit else None, apart / norm if norm else None)

    def _note(self, distance: float | None, relative: float | None) -> None:
        self._distances.append(distance)
        self._relative.append(relative)

    def _is_enough(self, step: int) -> bool:
        ending = self._ending
        if ending.last is not None and step >= ending.last:
            return True
        if self.first is None or step < self.first + ending.after:
            return False
        apart = self._distances[-1]
        return ending.far is None or (self._same_noise and apart is not None and apart >= ending.far)


class FollowedCall:
    """Ends a call of a pipeline as soon as enough is seen.

    Args:
        following: Compares its steps.

    Attributes:
        ended: Whether the call was ended, or need not be made, whatever its pipeline makes of it.
    """

    def __init__(self, following: Following) -> None:
        self.ended = False
        self._following = following
        self._pipeline: Any = None
        self._observer: Observer | None = None

    def attach(self, pipeline: Any, observer: Observer) -> None:
        """Watch a pipeline, which the observer watches already; the observer's `keep` is `see`."""
        self._pipeline, self._observer = pipeline, observer

    def see(self, name: str, latents: torch.Tensor) -> None:
        """Take what the observer keeps: after each step, its latents.

        Raises:
            RunEndedError: Enough was seen.
        """
        if not name.startswith(_LATENTS) or self._observer is None:
            return
        if self.ended:  # the pipeline goes on all the same
            raise RunEndedError
        step = int(name.removeprefix(_LATENTS))
        seen = self._observer.seen
        if self._following.see(step, seen.steps[step - 1], latents, seen.scaling, lambda: self._signal(step)):
            self.end()

    def end(self) -> None:
        """End the call.

        Raises:
            RunEndedError: In any case.
        """
        self.ended = True
        raise RunEndedError

    def _signal(self, step: int) -> float | None:
        """Return the factor of the clean sample in the call's own latents after a step."""
        scheduler = getattr(self._pipeline, "scheduler", None)
        times = [number(each) for each in getattr(scheduler, "timesteps", ())]
        if step >= len(times):
            return 1.0
        return scaling_of(scheduler).signal.get(times[step] or 0.0)


def distance(one: torch.Tensor | None, other: torch.Tensor | None) -> float | None:
    """Return the Euclidean distance of two tensors; None without both, for other shapes, and where it is not finite."""
    if one is None or other is None or one.shape != other.shape:
        return None
    found = _norm(one.double() - other.double())
    return found if math.isfinite(found) else None


def factor_to(scaling: str, signal: float | None, target: KeptRun, step: int) -> float | None:
    """Return the factor that converts latents after a step to the target's scaling; None if there is none."""
    kind = target.scaling
    if scaling == kind:
        return 1.0
    theirs = target.signal(step)
    return theirs / signal if {scaling, kind} <= CONVERTIBLE and signal and theirs else None


def _norm(tensor: torch.Tensor) -> float:
    return float(tensor.double().norm())


def _is_exact(latents: torch.Tensor, expected: str) -> bool:
    """Whether kept latents are those that the run had, whatever dtype they are read in."""
    import torch

    return any(digest(latents.to(dtype)) == expected for dtype in (torch.float32, torch.bfloat16, torch.float16))
