"""Make the record of a run that was produced, that failed, or that the store has under another name."""

from __future__ import annotations

from typing import Any

from spacediff.errors import NotMeasuredError
from spacediff.record import ClipRecord, RunRecord, TraceRecord, record_settings
from spacediff.run import Run
from spacediff.sources import Produced


def measured(run: Run, key: str, produced: Produced, clip: ClipRecord, trace: TraceRecord | None) -> RunRecord:
    """Make the record of a run that was produced.

    Args:
        run: The run.
        key: Its identity.
        produced: The result of its source.
        clip: The files of the clip.
        trace: The trace, if there is one.
    """
    return RunRecord(
        key=key,
        source=run.source,
        described=produced.described,
        measured=True,
        settings=record_settings(produced.settings),
        ignored=list(produced.ignored),
        warnings=list(produced.warnings),
        hosted=produced.hosted,
        seconds=produced.seconds,
        seed_echoed=produced.seed_echoed,
        clip=clip,
        trace=trace,
        **_labels(run),
    )


def unmeasured(run: Run, key: str, error: NotMeasuredError, seconds: float) -> RunRecord:
    """Make the record of a run without a clip.

    Args:
        run: The run.
        key: Its identity.
        error: The error.
        seconds: Duration of the attempt.
    """
    return RunRecord(
        key=key,
        source=run.source,
        measured=False,
        code=error.code,
        reason=error.message,
        hint=error.hint,
        settings=record_settings(run.settings),
        seconds=seconds,
        **_labels(run),
    )


def relabelled(record: RunRecord, run: Run) -> RunRecord:
    """Return the record of the same clip with the name, role and prompt that this audit gives to it."""
    return record.model_copy(update=_labels(run))


def _labels(run: Run) -> dict[str, Any]:
    return {
        "name": run.name,
        "role": run.role,
        "prompt": run.prompt.name,
        "changes": {path: setting.value for path, setting in run.changes.items()},
        "fed_by": run.fed_from,
    }
