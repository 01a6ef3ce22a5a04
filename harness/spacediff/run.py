"""A Run: one clip to produce, as plain data, and the key that identifies it.

Runs can be sent to another process or another machine. Two runs with the same key give the same clip, so that one is
executed and the store keeps it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from spacediff.inputs.files import Input
from spacediff.observer.digest_length import DIGITS
from spacediff.record import Role
from spacediff.settings import Settings

SourceName = Literal["diffusers", "script", "space", "video", "recording", "command", "inference"]
"""What produces a clip."""


@dataclass(frozen=True)
class Prompt:
    """A prompt with its seed; the text and the pictures of a private prompt are not shown.

    Attributes:
        name: Its name in the scenario.
        text: Its text; empty for a prompt that is only pictures.
        seed: The seed, for local runs and for a Space.
        private: Whether text and pictures are kept out of everything that is written.
        inputs: The input pictures and videos.
    """

    name: str
    text: str
    seed: int
    private: bool = False
    inputs: tuple[Input, ...] = ()


@dataclass(frozen=True)
class Stop:
    """When a run ends early: it is compared with another run step by step, and ends when enough is seen.

    The run ends `after` steps after the first one whose latents differ from the target's in any bit. Where none
    differs, it ends before the decoding, unless a setting that acts after the denoising differs. Everything else gives
    a usual run with a clip:

    - Settings that act only after the denoising (`spacediff.stages`): the kept end of an earlier run's denoising is
      decoded, which makes no step.
    - `far` was not reached when the steps ended: only the decoding is left to pay. A distance counts where the step has
      the target's timestep: latents with other noise left are far apart and may still come to the same clip. Where no
      distance is known (other shapes, scalings or numbers of steps), none is reached.
    - The pipeline cannot be watched, as it has no steps, decodes between them, or has fewer than the target.
    - The run is a script's and all its steps are equal: it has no kept end, and is decoded in any case.

    The latents and the digests of the other runs are found in the store of the audit folder by their keys.

    Attributes:
        target: Key of the run that this one is compared with; see `RunRecord.key`.
        seeds: Keys of runs that differ in nothing but their seed, two or more: their mean distance at a step is the
            unit of the distances. Empty where no distances are wanted.
        after: How many steps to make after the first that differs; 0 ends at that step.
        far: Go on past `after` until the distance to the target, in the unit of the seeds, is at least this; None ends
            at `after`.
        last: The last step to make, whatever was seen until then; None for no such limit.
        decode: Whether a run whose steps are all equal is decoded all the same, since settings that act on everything
            may act on the decoding alone.
    """

    target: str
    seeds: tuple[str, ...] = ()
    after: int = 0
    far: float | None = None
    last: int | None = None
    decode: bool = False


@dataclass(frozen=True)
class Run:
    """One clip to produce.

    Attributes:
        name: `reference`, `baseline`, the variant's name, `rerun`, `seed-43`.
        role: The purpose of the run.
        prompt: Its prompt.
        source: The source that produces it.
        settings: The declared Settings of a local run, or of what is put into the call of a script; empty for others.
        changes: Its changes to the baseline's Settings.
        request: The request to a Space, the file, the program or the script, as plain values; for other local runs, the
            recorded call whose tensors their stages start from, else empty.
        repeat: Distinguishes repetitions of the same run; 0 for the first.
        fed_by: Settings of another run whose latents each step starts from; None for a usual run.
        fed_from: Name of that other run.
        against: Name of the reference's run; where that has no clip, this one is skipped. Empty for the reference.
        sample_of: Name of the run that begins the group that this one belongs to; empty for runs of no group.
        stop: When the run ends early; None for a run that gives a clip.
        anyway: Whether it is tried although its weights alone exceed the memory. It changes nothing in the clip, nor in
            the key.
        is_target: Whether other runs end early by comparison with this one: the end of its denoising and its exact
            latents stay in the audit folder for them. It changes nothing in the clip, nor in the key.
    """

    name: str
    role: Role
    prompt: Prompt
    source: SourceName
    settings: Settings = field(default_factory=Settings)
    changes: Settings = field(default_factory=Settings)
    request: Mapping[str, Any] = field(default_factory=dict)
    repeat: int = 0
    fed_by: Settings | None = None
    fed_from: str = ""
    against: str = ""
    sample_of: str = ""
    stop: Stop | None = None
    anyway: bool = False
    is_target: bool = False

    @property
    def is_local(self) -> bool:
        """Whether the clip is generated by spacediff or by the user's script, on this machine."""
        return self.source in {"diffusers", "script"}

    @property
    def made_here(self) -> bool:
        """Whether this machine generates the clip, directly or through the built-in Space."""
        return self.is_local or str(self.request.get("id", "")).startswith("builtin:")

    def key(self, environment: Mapping[str, str]) -> str:
        """Return the identity of the run: a hash of everything that determines its clip.

        Args:
            environment: Library versions, device, and a fingerprint of the checkpoint's files.
        """
        determines = {
            "source": self.source,
            "prompt": self.prompt.text,
            "seed": self.prompt.seed,
            "settings": self.settings.digest(),
            "request": {name: value for name, value in self.request.items() if name != "deadline"},
            "repeat": self.repeat,
            "fed_by": self.fed_by.digest() if self.fed_by is not None else "",
            "environment": dict(environment) if self.made_here else {},
        }
        if self.stop is not None and self.is_local:  # others do not end early
            determines["stop"] = asdict(self.stop)
        if self.prompt.inputs:
            determines["inputs"] = [each.identity for each in self.prompt.inputs]
        return hashlib.sha256(json.dumps(determines, sort_keys=True, default=str).encode()).hexdigest()[:DIGITS]
