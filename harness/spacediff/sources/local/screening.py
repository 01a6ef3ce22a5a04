"""A run that ends early: a pipeline is watched while it is compared with another run, and ended when enough is seen.

The key insight: what is seen at a step decides whether the next one is needed (`spacediff.observer.following`); a step
is the moment at which a call can be left without a trace.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacediff.observer.following import STEPS, Divergence, Ending, FollowedCall, Following, KeptRun, Latents, Seeds
from spacediff.observer.hooks import Call, add_hook
from spacediff.observer.observation import Observation
from spacediff.observer.observer import Observer
from spacediff.observer.structure import decoders_of
from spacediff.record import TraceRecord
from spacediff.run import Stop
from spacediff.settings import Origin, Settings
from spacediff.stages import Stage, acts_from

if TYPE_CHECKING:
    import torch


def kept_run(trace: TraceRecord, latents: Latents) -> KeptRun:
    """Return what is kept of a run, from its trace and what reads its latents."""
    steps = trace.steps
    return KeptRun(
        tuple(step.digest for step in steps),
        tuple(step.timestep for step in steps),
        tuple(step.signal for step in steps),
        trace.scaling,
        latents,
    )


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


class Screen:
    """Compares one call of a pipeline with the target while it runs, and ends it.

    Args:
        compared: What it is compared with.
        settings: All Settings of the run.
    """

    def __init__(self, compared: Compared, settings: Settings) -> None:
        self._compared = compared
        stop = compared.stop
        self._following = Following(
            compared.target,
            compared.seeds,
            Ending(stop.after, stop.far, stop.last),
            comparable=_same(settings, compared.settings, f"call.{STEPS}"),
        )
        # with all steps equal, nothing else can differ
        self._says_all = not stop.decode and not _acts_later(settings, compared.settings)
        self._call = FollowedCall(self._following)
        self._observer: Observer | None = None

    @property
    def ended(self) -> bool:
        """Whether the call was ended, or need not be made."""
        return self._call.ended

    @property
    def divergence(self) -> Divergence:
        """What was seen so far."""
        return self._following.divergence

    def attach(self, pipeline: Any, observer: Observer) -> None:
        """Watch a pipeline, which the observer watches already; the observer's `keep` is `see`."""
        self._observer = observer
        self._call.attach(pipeline, observer)
        for _, decoder in decoders_of(pipeline):
            add_hook(decoder, "decode", self._on_decoding)

    def see(self, name: str, latents: torch.Tensor) -> None:
        """Take what the observer keeps; see `FollowedCall.see`."""
        self._call.see(name, latents)

    def take_over(self, seen: Observation) -> None:
        """Compare a denoising that an earlier run made; where nothing else can differ, the call need not be made."""
        digests = tuple(step.digest for step in seen.steps)
        if digests and self._says_all and digests == self._compared.target.digests:
            self._following.take_equal()
            self._call.ended = True

    def _on_decoding(self, call: Call) -> Any:
        seen = self._observer.seen if self._observer else Observation()  # ends a step of several calls
        all_equal = self._following.all_equal and len(seen.steps) == len(self._compared.target.digests)
        if self.ended or (all_equal and self._says_all):
            self._call.end()
        return call.proceed()


def _acts_later(ours: Settings, theirs: Settings) -> bool:
    """Whether a setting differs that acts after the denoising; what only a finished clip shows is none."""
    declared = {path for path, setting in theirs.items() if setting.origin is Origin.DECLARED}
    return any(acts_from(path) >= Stage.DECODING and not _same(ours, theirs, path) for path in {*ours, *declared})


def _same(ours: Settings, theirs: Settings, path: str) -> bool:
    """Whether two runs have the same value of a setting, one of which comes from a record, so from JSON."""
    one, other = (json.dumps(each.value(path), sort_keys=True, default=str) for each in (ours, theirs))
    return one == other
