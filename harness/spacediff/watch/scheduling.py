"""Replace the scheduler of a pipeline as a script does: `from_config` of the one that is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..observer.structure import pipelines_of


def scheduler_class(name: str) -> Any:
    """Return a class of schedulers of diffusers by its name; None if there is none, or it cannot be imported."""
    import diffusers

    try:
        found = getattr(diffusers, name, None)
    except Exception:  # noqa: BLE001 - a module that needs a package which is missing or broken
        return None
    return found if isinstance(found, type) and issubclass(found, diffusers.SchedulerMixin) else None


def replace_scheduler(pipeline: Any, kind: Any, config: Mapping[str, Any]) -> None:
    """Replace the scheduler, also in inner pipelines: a combined one shares it with the one that steps it.

    Args:
        pipeline: The pipeline.
        kind: The class of the new scheduler.
        config: What its configuration has in place of that of the scheduler that is there. The class may raise
            anything if it does not take it; then nothing is replaced.
    """
    before = pipeline.scheduler
    made = kind.from_config(before.config, **config)
    for each in pipelines_of(pipeline):
        if getattr(each, "scheduler", None) is before:
            each.scheduler = made
