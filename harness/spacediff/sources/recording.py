"""The recording source: the clip, the settings and the trace of a recorded call."""

from __future__ import annotations

import time
from pathlib import Path

from spacediff.errors import RecordingWithoutFrames
from spacediff.extras import has_torch
from spacediff.record import FactKind, TraceRecord, fact, record_settings
from spacediff.recordings import RecordedCall, Recording, chosen, opened_clip, read_recording
from spacediff.recordings.confidential import PRIVATE
from spacediff.settings import EXPORT_QUALITY, WITHHELD, Origin, Setting, Settings
from spacediff.sources import Produced

_WITHHELD = Setting(None, Origin.UNKNOWN, WITHHELD)


def take_recorded(file: Path, number: int | None, folder: Path, *, prompt: str = "") -> Produced:
    """Return what a recorded call produced.

    Args:
        file: The recording.
        number: The number of the call; None for the only one with a clip.
        folder: Folder for the unpacked clip.
        prompt: The prompt of the scenario that it is a reference of; empty where recordings alone are compared, of
            which the prompt is a setting.

    Raises:
        RecordingNotReadable: It is no recording, or has no such call, or no undamaged clip of it.
        RecordingWithoutFrames: The call has no frames; the error has its settings and its trace.
    """
    began = time.monotonic()
    recording = read_recording(file)
    call = chosen(recording, number, file.name)
    if call.without_clip:
        raise _without_frames(call, recording, file)
    clip = opened_clip(file, call, folder)
    usual = {"output": {"fps": float(clip.fps), "quality": EXPORT_QUALITY}} if call.medium == "video" else {}
    return Produced(
        clip=clip,
        settings=observed_in(call, recording.script, prompt).filled_from(
            Settings.of(usual, Origin.DEFAULT, "export_to_video")
        ),
        described=_described(call, recording),
        seconds=time.monotonic() - began,
        warnings=(*recording.notes, *call.warnings, *_other_prompt(call, prompt)),
        hosted={**call.machine, "hardware": call.machine.get("device", "")} if prompt else {},
        trace=trace_of(call),
        censored=call.censored,
        audio=call.audio,
        ignored=call.ignored,
    )


def _without_frames(call: RecordedCall, recording: Recording, file: Path) -> RecordingWithoutFrames:
    """Return the error of a call without frames, with its settings and its trace."""
    hidden = call.without_clip == PRIVATE and call.medium == "video"
    output = Settings({f"output.{name}": _WITHHELD for name in ("fps", "quality") if hidden})
    seen = {
        "settings": record_settings(observed_in(call, recording.script).filled_from(output)),
        "described": _described(call, recording),
        "warnings": [*recording.notes, *call.warnings],
        "ignored": list(call.ignored),
        "trace": trace_of(call),
    }
    return RecordingWithoutFrames(f"call {call.number} of {file.name} has no clip: {call.without_clip}", seen=seen)


def observed_in(call: RecordedCall, where: str, prompt: str = "") -> Settings:
    """Return what was seen of a call, with its machine; and its prompt, unless the scenario has one.

    What a private recording withholds is unknown, and not missing.

    Args:
        call: The call.
        where: Where it was seen.
        prompt: The prompt of the scenario.
    """
    besides = {"machine": call.machine, **({} if prompt or call.prompt is None else {"call": {"prompt": call.prompt}})}
    withheld = dict.fromkeys(call.withheld, _WITHHELD)
    return Settings({**withheld, **call.seen.changed_by(Settings.of(besides, Origin.OBSERVED, where))})


def _described(call: RecordedCall, recording: Recording) -> str:
    return f"recording of {recording.script or 'a script'}, call {call.number} at {call.where}"


def trace_of(call: RecordedCall) -> TraceRecord | None:
    """Return the trace of a call, with the seed of its noise where one is found.

    What only an audit can know, such as a path in its folder, is left out, since a stranger could have written it.
    """
    if call.trace is None:
        return None
    trace = call.trace.model_copy(update={"latents": "", "shared": [], "own_errors": [], "transplant": []})
    if trace.noise is None:
        return trace
    if not has_torch():  # which draws the noises that it could be
        return trace.model_copy(update={"noise": trace.noise.model_copy(update={"origin": None})})
    from spacediff.sources.local.noise_origin import origin_of

    seed = call.settings.get("rng.seed")
    found = origin_of(trace.noise, seed if type(seed) is int else None) or fact(FactKind.NOISE_OF_NO_USUAL_SEED)
    return trace.model_copy(update={"noise": trace.noise.model_copy(update={"origin": found})})


def is_of_prompt(call: RecordedCall, prompt: str) -> bool:
    """Whether a call was given a prompt, which may be the only one of a list."""
    return call.prompt in (prompt, [prompt])


def _other_prompt(call: RecordedCall, prompt: str) -> list[str]:
    """Warn of a recording of another prompt, or of one that does not say which."""
    if not prompt or is_of_prompt(call, prompt):
        return []
    if call.prompt is None:
        return ["the recording does not say its prompt, so that it may be another one"]
    return ["the recording is of another prompt"]
