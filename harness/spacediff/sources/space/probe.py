"""What the probe of a Space has recorded of the call that made the clip: settings and steps, observed there.

The endpoint answers for the session that it is asked from, so the same client asks as the one that got the clip. The
answer is as untrusted as the clip: it is bounded in size and time, only its data are read, and it can only add what is
not known otherwise. A recording that is missing or unusable is a warning; the audit goes on without it.
"""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacediff.errors import NotMeasuredError, RecordingNotReadable, SpaceOutputUnusable
from spacediff.files import remove_file
from spacediff.hub.space_errors import explained, plain
from spacediff.recordings import RecordedCall, Recording, read_recording
from spacediff.recordings.confidential import private_call
from spacediff.settings import Origin, Setting
from spacediff.sources.recording import is_of_prompt, trace_of
from spacediff.sources.space.answers import SILENCE_SECONDS, on_loopback, write_bounded
from spacediff.watch.probe import ENDPOINT

_MOST_BYTES = 8 * 2**20
"""Of the answer: twice of what a probe keeps."""
_LONGEST = 60.0
"""Seconds that the answer may take."""
_MOST_NOTES = 5
_MOST_SETTINGS = 1000
_MOST_CHARACTERS = 10_000
"""Of a setting, as JSON."""
_PATH = re.compile(
    r"(?:placement|(?:model|components|scheduler|call|rng|placement|vae|numerics|lora|guider|packages|cache|ip_adapter)\.\S{1,200})"
)
"""The settings that a recording may say something of; others are known from the request and from the file."""


@dataclass(frozen=True)
class Recorded:
    """What a probe has recorded.

    Attributes:
        call: The call that made the clip; None if that is unknown.
        warnings: Why it is unknown, or what of it is.
    """

    call: RecordedCall | None = None
    warnings: tuple[str, ...] = ()


def recorded_by_probe(client: Any, folder: Path, ends: float) -> Recorded:
    """Fetch the recording of the last event of a client's session.

    Args:
        client: The connected client that got the clip.
        folder: Folder for a temporary file.
        ends: When everything must be here, on the monotonic clock.
    """
    file = folder / "recording.part"
    try:
        with explained("with the probe"):
            _fetch(client, file, min(ends, time.monotonic() + _LONGEST))
            file.write_bytes(_content_of(file.read_bytes()))
            return _last_of(_read(file))
    except NotMeasuredError as error:
        return Recorded(warnings=(f"what the Space's probe recorded is not used: {error.message}",))
    finally:
        remove_file(file)


def _fetch(client: Any, file: Path, ends: float) -> None:
    """Write the answer into a file. gradio_client would read it whatever its size."""
    import httpx

    address = f"{client.src_prefixed}run/{ENDPOINT}"
    asked = {"data": [], "session_hash": client.session_hash}
    with httpx.stream(
        "POST",
        address,
        json=asked,
        headers=client.headers,
        cookies=client.cookies,
        timeout=SILENCE_SECONDS,
        trust_env=not on_loopback(address),
    ) as response:
        if not response.is_success:
            raise SpaceOutputUnusable(f"the Space refused it (HTTP {response.status_code})")
        write_bounded(file, response.iter_bytes(), 0, _MOST_BYTES, ends)


def _content_of(answer: bytes) -> bytes:
    """Return the recording in an answer of Gradio."""
    try:
        encoded = json.loads(answer)["data"][0]["recording"]
        content = base64.b64decode(encoded, validate=True)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise RecordingNotReadable("the answer holds no recording") from error
    if not content:
        raise RecordingNotReadable("it has recorded no pipeline call of this session")
    return content


def _read(file: Path) -> Recording:
    try:
        return read_recording(file)
    except RecordingNotReadable as error:
        raise RecordingNotReadable(error.message.replace(str(file), "the recording")) from error


def _last_of(recording: Recording) -> Recorded:
    """Return the last call that was made to its end: what comes before it are earlier stages."""
    notes = tuple(plain(f"a note of the Space's probe about {note}") for note in recording.notes[:_MOST_NOTES])
    finished = [call for call in recording.calls if call.finished]
    if not finished:
        return Recorded(warnings=(*notes, "the Space's probe recorded no pipeline call that finished"))
    call = finished[-1]
    if len(finished) > 1:
        notes = (*notes, f"the Space made {len(finished)} pipeline calls; settings and steps are those of the last one")
    settings = {path: value for path, value in call.settings.items() if _is_usable(path, value)}
    kept = dict(list(settings.items())[:_MOST_SETTINGS])
    if len(kept) < sum(map(_is_said, call.settings)):
        notes = (*notes, "of what the Space's probe recorded, settings that are too many or too long are not used")
    return Recorded(call.model_copy(update={"trace": trace_of(call), "settings": kept}), notes)


def _is_usable(path: str, value: Any) -> bool:
    """Whether a probe may say something of a setting, and how much it says is bounded."""
    return _is_said(path) and len(json.dumps(value)) <= _MOST_CHARACTERS


def checked(found: Recorded, prompt_text: str, *, private: bool) -> Recorded:
    """Return what was recorded, with a warning where the Space generated from another prompt.

    Args:
        found: What was recorded.
        prompt_text: The prompt that the Space was given.
        private: Whether no text of the recording may be kept.
    """
    call = found.call
    warnings = [each.partition(":")[0] for each in found.warnings] if private else list(found.warnings)
    if call and call.prompt is not None and not is_of_prompt(call, prompt_text):
        warnings.append("the Space gave its pipeline another prompt than it was sent")
    return Recorded(private_call(call) if call and private else call, tuple(warnings))


def observed_settings(call: RecordedCall | None) -> dict[str, Setting]:
    """Return the settings of a recorded call that only the pipeline knows, by path."""
    if call is None:
        return {}
    where = plain(f"recorded by the Space's probe at {call.where}")
    return {path: Setting(value, Origin.OBSERVED, where) for path, value in call.settings.items() if _is_said(path)}


def observed_machine(call: RecordedCall | None) -> dict[str, str]:
    """Return versions and devices of the machine of a recorded call, name to text."""
    machine = {} if call is None else call.machine
    return {plain(name, 50): plain(text, 200) for name, text in list(machine.items())[:_MOST_SETTINGS]}


def _is_said(path: str) -> bool:
    """Whether a recording may say something of a setting; a name with control characters is none."""
    return path.isprintable() and _PATH.fullmatch(path) is not None
