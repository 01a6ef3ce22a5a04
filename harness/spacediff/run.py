"""A Run: one clip to produce, as plain data, and the key that identifies it.

Runs can be sent to another process or another machine. Two runs with the same key give the same clip, so that one is
executed and the store keeps it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from spacediff.record import Role
from spacediff.settings import Settings


@dataclass(frozen=True)
class Prompt:
    """A prompt with its seed; the text and the pictures of a private prompt are not shown."""

    name: str
    text: str
    seed: int
    private: bool = False


@dataclass(frozen=True)
class Run:
    """One clip to produce.

    Attributes:
        name: `reference`, `baseline`, the variant's name, `rerun`, `seed-43`.
        role: The purpose of the run.
        prompt: Its prompt.
        source: The source that produces it.
        settings: The declared Settings of a local run; empty for others.
        changes: Its changes to the baseline's Settings.
        request: The request to a Space, or the file, as plain values; empty for local runs.
        repeat: Distinguishes repetitions of the same run; 0 for the first.
        fed_by: Settings of another run whose latents each step starts from; None for a usual run.
        fed_from: Name of that other run.
        against: Name of the hosted run that this run is compared with; without it, this run is skipped. May be empty.
    """

    name: str
    role: Role
    prompt: Prompt
    source: Literal["diffusers", "space", "video"]
    settings: Settings = field(default_factory=Settings)
    changes: Settings = field(default_factory=Settings)
    request: Mapping[str, Any] = field(default_factory=dict)
    repeat: int = 0
    fed_by: Settings | None = None
    fed_from: str = ""
    against: str = ""

    @property
    def made_here(self) -> bool:
        """Whether this machine generates the clip, directly or through the built-in Space."""
        return self.source == "diffusers" or str(self.request.get("id", "")).startswith("builtin:")

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
        return hashlib.sha256(json.dumps(determines, sort_keys=True, default=str).encode()).hexdigest()[:24]
