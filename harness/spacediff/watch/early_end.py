"""End a call of a script early: it is compared with an earlier run, whose latents the asking process names by file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..observer.following import Ending, FollowedCall, Following, KeptRun, Seeds
from ..observer.latents_file import read_latents_after

if TYPE_CHECKING:
    import torch

ENDED = "ended early"
"""The outcome of a call in which enough was seen."""


def early_end(asked: Mapping[str, Any], steps: Any) -> tuple[FollowedCall, Following]:
    """Return what ends a call, and what compares its steps.

    Args:
        asked: `target` and `seeds`, each a kept run as `digests`, `timesteps`, `signals`, `scaling` and `latents`, the
            path of its file or null; `steps`, the target's argument of that name; `after`, `far` and `last`.
        steps: The same argument of the call.
    """
    following = Following(
        _kept(asked["target"]),
        Seeds([_kept(each) for each in asked["seeds"]]),
        Ending(asked["after"], asked["far"], asked["last"]),
        comparable=steps == asked["steps"],
    )
    return FollowedCall(following), following


def leave(pipeline: Any) -> None:
    """Do what a pipeline does at the end of a call: what it has offloaded goes back, its caches are emptied."""
    free = getattr(pipeline, "maybe_free_model_hooks", None)
    if free is not None:
        free()


def _kept(run: Mapping[str, Any]) -> KeptRun:
    return KeptRun(
        tuple(run["digests"]),
        tuple(run["timesteps"]),
        tuple(run["signals"]),
        run["scaling"],
        partial(_latents, run["latents"]),
    )


def _latents(file: str | None, step: int) -> torch.Tensor | None:
    import torch

    found = None if file is None else read_latents_after(Path(file), step)
    return None if found is None else torch.from_numpy(found)
