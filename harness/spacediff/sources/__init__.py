"""Sources of clips: a local pipeline, a Space, a video file. Each of them returns a `Produced`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from spacediff.clip import Clip, LongClip
from spacediff.record import Ignored, InsteadRecord, TraceRecord
from spacediff.settings import Settings

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Stopped:
    """A run that ended early, and so has no clip.

    Attributes:
        settings: All settings with their origins, defaults included.
        described: The source in one line.
        seconds: Duration.
        trace: What was observed until then.
        first: The first step that differs from the target's; None where none does.
        distances: Distance to the target after each step, as a share of that between seeds; None where it is unknown.
        relative: The same by the norm of the target's latents.
        resolution: What `relative` cannot resolve; 0 where it is exact.
        ignored: Arguments that a library accepted without using them.
        warnings: Warnings for the reader of the report.
    """

    settings: Settings
    described: str
    seconds: float
    trace: TraceRecord
    first: int | None
    distances: tuple[float | None, ...]
    relative: tuple[float | None, ...]
    resolution: float
    ignored: tuple[Ignored, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Produced:
    """A clip, with everything that its source knows about it.

    Attributes:
        clip: The frames, or a file that holds too many of them for the memory.
        settings: All settings with their origins, defaults included.
        described: The source in one line: `Space zai-org/CogVideoX-5B-Space /generate`.
        original: The unmodified file that was downloaded or given; None for clips generated here.
        encoding: The metadata of that file in one line; empty for clips generated here.
        ignored: Arguments that a library accepted without using them.
        warnings: Warnings for the reader of the report.
        hosted: What is known about the Space (commit, hardware, SDK), name to text.
        seed_echoed: The seed that the Space reports; None if it reports none.
        instead: What the Space used in place of what it was asked for; None where nothing says that it did.
        seconds: Duration of the generation or the download.
        used_cache: Whether a Space answered from a cache of Gradio; empty where it does not say.
        trace: What was observed during the generation; None for a clip that was not generated here.
        latents: The latents before the first step and after each step, all of one shape, in float32 or half precision
            on the CPU; empty if they are not kept.
        latents_file: The same as a file in the folder of the run, which its source has written already; else None.
        censored: Numbers of the pictures that a safety checker replaced, from 0, as far as the source says so.
        audio: Whether there is sound besides the frames, which is not compared.
    """

    clip: Clip | LongClip
    settings: Settings
    described: str
    seconds: float
    original: Path | None = None
    encoding: str = ""
    ignored: tuple[Ignored, ...] = ()
    warnings: tuple[str, ...] = ()
    hosted: dict[str, str] = field(default_factory=dict)
    seed_echoed: int | None = None
    used_cache: Literal["full", "partial", "no", ""] = ""
    instead: InsteadRecord | None = None
    trace: TraceRecord | None = None
    latents: Sequence[torch.Tensor] = ()
    latents_file: Path | None = None
    censored: tuple[int, ...] = ()
    audio: bool = False
