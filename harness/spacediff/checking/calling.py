"""One call of a Space under test: what it gave, how long it took, and what the Space says of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from spacediff.checking.asked import Asked
from spacediff.checking.probes import Probe
from spacediff.checking.result import Call, Purpose
from spacediff.clip import counted, frames_digest
from spacediff.errors import NotMeasuredError
from spacediff.hub.space_errors import explained, plain
from spacediff.inputs.placeholders import inputs_named_in
from spacediff.progress import Progress
from spacediff.sources.space.answers import decoded
from spacediff.sources.space.asking import generate
from spacediff.sources.space.messages import Answered
from spacediff.sources.space.uploads import copies_of
from spacediff.sources.video import describe

_LONGEST_PROMPT = 300
"""Characters of an echoed prompt that are shown."""


def make_call(asked: Asked, probe: Probe, progress: Progress) -> Call:
    """Make a call, and describe what it gave; a call without a clip is described by its error.

    Args:
        asked: What the Space is asked.
        probe: What is changed.
        progress: Receives the state of the job.
    """
    call = Call(**asdict(probe))
    began = time.monotonic()
    try:
        answer, shown_as, frames = _made(asked, probe, began, progress)
    except NotMeasuredError as error:
        seconds = time.monotonic() - began
        return replace(call, seconds=seconds, code=error.code, reason=error.message, hint=error.hint)
    sent = _prompt(asked, probe)
    as_sent = None if answer.prompt is None else answer.prompt.strip() == sent.strip()
    shown = as_sent is False and not asked.prompt.private
    return replace(
        call,
        seconds=time.monotonic() - began,
        work_seconds=answer.work_seconds,
        frames=frames,
        described=shown_as,
        used_cache=answer.used_cache,
        seed=answer.seed,
        prompt=as_sent,
        prompt_text=plain(answer.prompt, _LONGEST_PROMPT) if shown else "",
    )


def _made(asked: Asked, probe: Probe, began: float, progress: Progress) -> tuple[Answered, str, tuple[str, ...]]:
    """Make a call; return the answer, its clip in one line, and the digest of each frame."""
    request = replace(asked.request, inputs=_inputs(asked, probe))
    needed = inputs_named_in(request.inputs)
    ends = began + request.deadline
    with (
        explained(request.id),
        TemporaryDirectory(prefix="spacediff-check-") as folder,
        copies_of([each for each in asked.prompt.inputs if each.name in needed]) as files,
    ):
        answer, file = generate(
            request,
            ends,
            progress,
            prompt=_prompt(asked, probe),
            seed=probe.value if probe.purpose is Purpose.SEED else asked.prompt.seed,
            files=files,
            folder=Path(folder),
        )
        clip, info = decoded(file, ends, progress)
        described = f"{len(clip.frames)} {counted(clip.medium)}, {describe(info)}"
        return answer, described, tuple(frames_digest([frame]) for frame in clip.frames)


def _inputs(asked: Asked, probe: Probe) -> Mapping[str, Any]:
    return {**asked.request.inputs, probe.changed: probe.value} if probe.changed else asked.request.inputs


def _prompt(asked: Asked, probe: Probe) -> str:
    return f"{asked.prompt.text} " if probe.purpose is Purpose.PAST_CACHE else asked.prompt.text
