"""The identity of a run: a hash of everything that determines its clip, the machine included."""

from __future__ import annotations

from collections.abc import Mapping

from spacediff.environment import determining
from spacediff.run import Run
from spacediff.sources.hosted import TINY_SPACES
from spacediff.sources.local.pipeline import stamp


def key_of(run: Run, environment: Mapping[str, str]) -> str:
    """Return the identity of a run.

    Args:
        run: The run.
        environment: The environment of the machine that generates it, from `environment()`.
    """
    checkpoint = TINY_SPACES.get(str(run.request.get("id"))) or run.settings.value("model.id")
    return run.key(determining(dict(environment)) | {"checkpoint": stamp(checkpoint) if run.made_here else ""})
