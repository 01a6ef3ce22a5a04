"""Schedulers that a source builds from scratch, with the defaults of their class not the checkpoint's config.

Such a scheduler may differ from one that is made with `from_config` in entries that no source names.
"""

from __future__ import annotations

from spacediff.catalogue.lookup import cause_named
from spacediff.reading import Reading
from spacediff.why.effects import Agreement, Effect


def is_built_anew(reading: Reading) -> bool:
    """Return whether a source builds its scheduler without the configuration of a checkpoint."""
    return reading.scheduler_base is not None and reading.scheduler_base.value == ""


def built_scheduler(script: Reading, space: Reading) -> list[Effect]:
    """Return that one side's scheduler leaves the checkpoint's configuration out; empty if both or neither do so."""
    ours, theirs = _lines(script), _lines(space)
    if bool(ours) is bool(theirs):
        return []
    agreement = Agreement.SCRIPT_ONLY if ours else Agreement.SPACE_ONLY
    known = cause_named("scheduler-config")
    return [Effect("scheduler without the checkpoint's configuration", agreement, ours, theirs, known, certain=False)]


def _lines(reading: Reading) -> tuple[str, ...]:
    base, kind = reading.scheduler_base, reading.settings.value("scheduler.class")
    return (f"{kind}(...) ({base.where})",) if base is not None and is_built_anew(reading) else ()
