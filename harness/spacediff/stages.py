"""Stages of a generation, and the stage from which a setting has an effect.

The key insight: two runs that agree in every setting with an effect up to a stage have the same state after it, so the
state is computed only once. A setting without a known stage counts as having an effect from the start.
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
    # the text encoder also gets arguments of the call from the pipeline; sharing embeddings compares those too
    "call": Stage.DENOISING,
    "scheduler": Stage.DENOISING,
    "cache": Stage.DENOISING,
    "guider": Stage.DENOISING,
    "rng": Stage.DENOISING,
    "vae": Stage.DECODING,
    "output": Stage.OUTPUT,
}


_LOADED = frozenset({"model", "load", "components"})
"""Tables that say what is loaded."""
_AT_LOADING = frozenset({"vae.dtype"})
"""Settings of other tables that act when the weights are loaded."""


def of_loading(settings: Settings) -> Settings:
    """Return the settings that determine which weights are loaded: runs that share them load a checkpoint once."""
    return Settings(
        {path: setting for path, setting in settings.items() if path.split(".", 1)[0] in _LOADED or path in _AT_LOADING}
    )


def acts_from(path: str) -> Stage:
    """Return the first stage that a setting can affect."""
    if path in _AT_LOADING:
        return Stage.TEXT
    return _ACTS_FROM.get(path.split(".", 1)[0], Stage.TEXT)


def up_to(settings: Settings, stage: Stage) -> Settings:
    """Return the settings that determine the state after a stage."""
    return Settings({path: setting for path, setting in settings.items() if acts_from(path) <= stage})
