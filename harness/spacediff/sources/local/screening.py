"""A run that ends early: it is compared with another run step by step, and ends when enough is seen.

The key insight: whether and how a setting acts shows in the first steps. Digests show bitwise whether a step is equal,
and the distance to the kept latents, by that between seeds, how much it differs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from spacediff.observer.hooks import Call, add_hook
from spacediff.observer.observation import Observation, Step
from spacediff.observer.observer import Observer
from spacediff.observer.scaling import CONVERTIBLE, scaling_of
from spacediff.observer.structure import decoders_of
from spacediff.observer.tensors import digest, number
from spacediff.record import TraceRecord
from spacediff.record.derived.divergence import differ
from spacediff.run import Stop
from spacediff.settings import Origin, Settings
from spacediff.stages import Stage, acts_from

if TYPE_CHECKING:
    import torch

Latents = Callable[[int], "torch.Tensor | None"]
"""Returns the latents after a step, counted from 1, on the CPU in any float dtype; None where they are not kept."""

HALF = 2.0**-11
"""Largest relative error of a value of float32 that is kept in half precision."""
_LATENTS = "latents."
_STEPS = "call.num_inference_steps"


class RunEndedError(BaseException):
    """Ends a pipeline's call in which enough was seen; no `except Exception` of a pipeline takes it for a failure."""


@dataclass(frozen=True)
class KeptRun:
    """What is kept of a run.

    Attributes:
        trace: Its trace.
        latents: Its latents.
    """

    trace: TraceRecord
    latents: Latents

    def signal(self, step: int) -> float | None:
        """Return the factor of the clean sample in the latents after a step; None if it is unknown.

        What a step was given is what the one before returned; after the last, no noise is left.
        """
        steps = self.trace.steps
        return steps[step].signal if step < len(steps) else 1.0


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
        if not self._runs or any(len(run.trace.steps) != len(target.trace.steps) for run in self._runs):
            return None
        if step not in self._known:
            self._known[step] = self._mean(step)
        first, mean = self._runs[0], self._known[step]
        factor = factor_to(first.trace.scaling, first.signal(step), target, step)
        return None if mean is None or factor is None else mean * factor

    def _mean(self, step: int) -> float | None:
        latents = [run.latents(step) for run in self._runs]
        found = [distance(one, other) for one, other in combinations(latents, 2)]
        known = [each for each in found if each is not None]
        return sum(known) / len(known) if known and len(known) == len(found) else None


@dataclass(frozen=True)
class Compared:
    """What a run that may end early is compared with.

    Attributes:
        stop: When it ends.
        target: What is kept of the target.
        settings: All Settings of the target.
        seeds: The runs that give the unit of the distances.
    """

    stop: Stop
    target: KeptRun
    settings: Settings
    seeds: Seeds


@dataclass(frozen=True)
class Divergence:
    """How a run differs from its target, step by step; see `spacediff.record.StoppedRecord`."""

    first: int | None
    distances: tuple[float | None, ...]
    relative: tuple[float | None, ...]
    resolution: float


class Screen:
    """Compares one call of a pipeline with the target while it runs, and ends it.

    Args:
        compared: What it is compared with.
        settings: All Settings of the run.

    Attributes:
        ended: Whether the call was ended, or need not be made.
    """

    def __init__(self, compared: Compared, settings: Settings) -> None:
        self.ended = False
        self._compared = compared
        self._steps = compared.target.trace.steps
        self._comparable = _same(settings, compared.settings, _STEPS)
        # with all steps equal, nothing else can differ
        self._says_all = not compared.stop.decode and not _acts_later(settings, compared.settings)
        self._pipeline: Any = None
        self._observer: Observer | None = None
        self._first: int | None = None
        self._distances: list[float | None] = []
        self._relative: list[float | None] = []
        self._resolution = 0.0
        self._same_noise = False

    @property
    def divergence(self) -> Divergence:
        """What was seen so far."""
        return Divergence(self._first, tuple(self._distances), tuple(self._relative), self._resolution)

    def attach(self, pipeline: Any, observer: Observer) -> None:
        """Watch a pipeline, which the observer watches already; the observer's `keep` is `see`."""
        self._pipeline, self._observer = pipeline, observer
        for _, decoder in decoders_of(pipeline):
            add_hook(decoder, "decode", self._on_decoding)

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
        self._compare(step, seen.steps[step - 1], latents, seen.scaling)
        if self._is_enough(step):
            self._end()

    def take_over(self, seen: Observation) -> None:
        """Compare a denoising that an earlier run made; where nothing else can differ, the call need not be made."""
        if seen.steps and self._says_all and [s.digest for s in seen.steps] == [s.digest for s in self._steps]:
            self._distances = self._relative = [0.0] * len(self._steps)
            self.ended = True

    def _compare(self, step: int, found: Step, latents: torch.Tensor | None, scaling: str) -> None:
        known = self._steps[step - 1] if step <= len(self._steps) else None
        self._same_noise = known is not None and known.timestep is not None and known.timestep == found.timestep
        if known is not None and known.digest == found.digest:
            self._note(0.0, 0.0)
        elif known is None or latents is None or not self._comparable:
            self._note(None, None)
        else:
            self._measure(step, known.digest, latents, scaling)
        if self._first is None and (
            known is None or known.digest != found.digest or differ(known.timestep, found.timestep)
        ):
            self._first = step

    def _measure(self, step: int, expected: str, latents: torch.Tensor, scaling: str) -> None:
        target = self._compared.target
        theirs, factor = target.latents(step), factor_to(scaling, self._signal(step), target, step)
        apart = distance(theirs, latents if factor in {None, 1.0} else latents.double() * factor)
        if theirs is None or apart is None or factor is None:
            self._note(None, None)
            return
        if not _is_exact(theirs, expected):
            self._resolution = HALF
        norm, unit = _norm(theirs), self._compared.seeds.distance(step, target)
        self._note(apart / unit if unit else None, apart / norm if norm else None)

    def _note(self, distance: float | None, relative: float | None) -> None:
        self._distances.append(distance)
        self._relative.append(relative)

    def _signal(self, step: int) -> float | None:
        """Return the factor of the clean sample in the run's own latents after a step."""
        scheduler = getattr(self._pipeline, "scheduler", None)
        times = [number(each) for each in getattr(scheduler, "timesteps", ())]
        if step >= len(times):
            return 1.0
        return scaling_of(scheduler).signal.get(times[step] or 0.0)

    def _is_enough(self, step: int) -> bool:
        stop = self._compared.stop
        if stop.last is not None and step >= stop.last:
            return True
        if self._first is None or step < self._first + stop.after:
            return False
        apart = self._distances[-1]
        return stop.far is None or (self._same_noise and apart is not None and apart >= stop.far)

    def _on_decoding(self, call: Call) -> Any:
        seen = self._observer.seen if self._observer else Observation()  # ends a step of several calls
        all_equal = self._first is None and 0 < len(seen.steps) == len(self._steps) == len(self._distances)
        if self.ended or (all_equal and self._says_all):
            self._end()
        return call.proceed()

    def _end(self) -> None:
        self.ended = True
        raise RunEndedError


def distance(one: torch.Tensor | None, other: torch.Tensor | None) -> float | None:
    """Return the Euclidean distance of two tensors; None without both, for other shapes, and where it is not finite."""
    if one is None or other is None or one.shape != other.shape:
        return None
    found = _norm(one.double() - other.double())
    return found if math.isfinite(found) else None


def _norm(tensor: torch.Tensor) -> float:
    return float(tensor.double().norm())


def factor_to(scaling: str, signal: float | None, target: KeptRun, step: int) -> float | None:
    """Return the factor that converts latents after a step to the target's scaling; None if there is none."""
    kind = target.trace.scaling
    if scaling == kind:
        return 1.0
    theirs = target.signal(step)
    return theirs / signal if {scaling, kind} <= CONVERTIBLE and signal and theirs else None


def _is_exact(latents: torch.Tensor, expected: str) -> bool:
    """Whether kept latents are those that the run had, whatever dtype they are read in."""
    import torch

    return any(digest(latents.to(dtype)) == expected for dtype in (torch.float32, torch.bfloat16, torch.float16))


def _acts_later(ours: Settings, theirs: Settings) -> bool:
    """Whether a setting differs that acts after the denoising; what only a finished clip shows is none."""
    declared = {path for path, setting in theirs.items() if setting.origin is Origin.DECLARED}
    return any(acts_from(path) >= Stage.DECODING and not _same(ours, theirs, path) for path in {*ours, *declared})


def _same(ours: Settings, theirs: Settings, path: str) -> bool:
    """Whether two runs have the same value of a setting, one of which comes from a record, so from JSON."""
    one, other = (json.dumps(each.value(path), sort_keys=True, default=str) for each in (ours, theirs))
    return one == other
