"""Sources: whatever yields a clip. Each module here is one kind; they share the record below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.clip import Clip
from spacediff.record import Ignored, TraceRecord
from spacediff.settings import Settings

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Produced:
    """A clip with everything that its source can tell of it.

    Attributes:
        clip: The frames.
        settings: All settings with origins, resolved to the end.
        described: One line for people: `Space zai-org/CogVideoX-5B-Space /generate`.
        original: The file as it was fetched or given, untouched; None for clips generated here.
        encoding: What that file says of itself; empty for clips generated here.
        ignored: Arguments that a library accepted without using them.
        warnings: What the reader should know.
        hosted: What the host says of itself (commit, hardware, SDK), name to text.
        seed_echoed: The seed that a Space said it used; None when it did not say.
        seconds: Duration of the generation or the fetch.
        trace: What the generation looked like from inside; None for a clip that was not generated here.
        latents: The latents before the first step and after each, float32 or half precision on the CPU, one shape;
            empty when they are not kept.
    """

    clip: Clip
    settings: Settings
    described: str
    seconds: float
    original: Path | None = None
    encoding: str = ""
    ignored: tuple[Ignored, ...] = ()
    warnings: tuple[str, ...] = ()
    hosted: dict[str, str] = field(default_factory=dict)
    seed_echoed: int | None = None
    trace: TraceRecord | None = None
    latents: Sequence[torch.Tensor] = ()
