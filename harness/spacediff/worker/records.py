"""Make the record of a run that was produced, that failed, or that the store has under another name."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spacediff.errors import NotMeasuredError, RecordingWithoutFrames
from spacediff.record import ClipRecord, PromptRecord, RunRecord, StoppedRecord, TraceRecord, record_settings
from spacediff.record.derived.divergence import before_the_loop, is_unobserved
from spacediff.run import Prompt, Run
from spacediff.sources import Produced, Stopped
from spacediff.worker.input_previews import write_previews


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
        fetched=_now() if run.source in {"space", "inference"} and not run.made_here else "",
        seed_echoed=produced.seed_echoed,
        used_cache=produced.used_cache,
        instead=produced.instead,
        censored=list(produced.censored),
        audio=produced.audio,
        clip=clip,
        trace=trace,
        **_labels(run),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def stopped(run: Run, key: str, ended: Stopped, target: RunRecord) -> RunRecord:
    """Make the record of a run that ended early.

    Args:
        run: The run.
        key: Its identity.
        ended: What its source saw.
        target: The run that it was compared with, as the store has it.
    """
    trace, theirs = ended.trace, target.trace or TraceRecord()
    step = len(ended.distances)
    times = [each.steps[step - 1].timestep if step <= len(each.steps) else None for each in (trace, theirs)]
    found = RunRecord(
        key=key,
        source=run.source,
        described=ended.described,
        measured=False,
        settings=record_settings(ended.settings),
        ignored=list(ended.ignored),
        warnings=list(ended.warnings),
        seconds=ended.seconds,
        trace=trace,
        **_labels(run),
    )
    ours = (with_private_inputs(found, run.prompt) if run.prompt.private else found).trace or trace  # as theirs is kept
    return found.model_copy(
        update={
            "stopped": StoppedRecord(
                target=target.key,
                step=step,
                steps=len(theirs.steps),
                first=ended.first,
                before=before_the_loop(theirs, ours),
                unobserved=[name for name in ("text", "inputs", "noise") if is_unobserved(name, theirs, ours)],
                distances=list(ended.distances),
                relative=list(ended.relative),
                resolution=ended.resolution,
                same_noise=None not in times and times[0] == times[1],
                made=trace.steps_made or 0,
            )
        }
    )


def unmeasured(run: Run, key: str, error: NotMeasuredError, seconds: float) -> RunRecord:
    """Make the record of a run without a clip.

    Args:
        run: The run.
        key: Its identity.
        error: The error.
        seconds: Duration of the attempt.
    """
    found = RunRecord(
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
    return found.model_copy(update=error.seen) if isinstance(error, RecordingWithoutFrames) else found


def prompt_record(prompt: Prompt, folder: Path, used: Prompt | None = None) -> PromptRecord:
    """Make the record of a prompt, and write previews of its inputs into the audit folder unless it is private.

    Args:
        prompt: The prompt as the scenario asks for it.
        folder: The audit folder.
        used: What the local runs are generated from instead; None where it is the prompt.
    """
    other = used is not None and used.text != prompt.text
    return PromptRecord(
        name=prompt.name,
        text="" if prompt.private else prompt.text,
        seed=prompt.seed,
        used_seed=used.seed if used is not None and used.seed != prompt.seed else None,
        used_text=used.text if used is not None and other and not prompt.private else "",
        private=prompt.private,
        inputs=[] if prompt.private else write_previews(prompt.inputs, folder),
    )


def with_private_inputs(run: RunRecord, prompt: Prompt) -> RunRecord:
    """Return the record of a run of a private prompt as it is stored.

    A digest of its picture would tell who has the same picture. So each is hashed with the prompt's text, which is not
    stored; runs of the prompt still agree or differ in it. Without a text, none is stored.
    """
    if run.trace is None:
        return run
    key = hashlib.sha256(prompt.text.encode()).digest()
    inputs = [
        hashlib.blake2b(each.encode(), key=key).hexdigest()[: len(each)] for each in run.trace.inputs if prompt.text
    ]
    return run.model_copy(update={"trace": run.trace.model_copy(update={"inputs": inputs})})


def without_digests_of_inputs(run: RunRecord) -> RunRecord:
    """Return the record of a run of a private prompt: a digest of its picture would tell who has the same picture."""
    if run.trace is None:
        return run
    return run.model_copy(update={"trace": run.trace.model_copy(update={"inputs": []})})


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
