"""Stages of a generation, and from which of them on a setting acts.

The key insight: two runs that agree in every setting which acts up to a stage have the same state after it, so it need
be computed only once. A setting that is not known to act late counts as acting from the start.
"""

from __future__ import annotations

from enum import IntEnum

from spacediff.settings import Settings


class Stage(IntEnum):
    """The stages, in the order in which they run."""

    TEXT = 0
    DENOISING = 1
    DECODING = 2
    OUTPUT = 3


_ACTS_FROM = {
    # the text encoder sees of the call what the pipeline passes to it; who shares embeddings compares that too
    "call": Stage.DENOISING,
    "scheduler": Stage.DENOISING,
    "rng": Stage.DENOISING,
    "vae": Stage.DECODING,
    "output": Stage.OUTPUT,
}


def acts_from(path: str) -> Stage:
    """Return the first stage that a setting can change."""
    return _ACTS_FROM.get(path.split(".", 1)[0], Stage.TEXT)


def up_to(settings: Settings, stage: Stage) -> Settings:
    """Return the settings that determine the state after a stage."""
    return Settings({path: setting for path, setting in settings.items() if acts_from(path) <= stage})
