"""Make a recording of what the process of a script has left in a folder."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from spacediff import __version__
from spacediff.clip import Clip, write_lossless
from spacediff.files import sha256
from spacediff.privacy.redaction import redact
from spacediff.record import Ignored, TraceRecord
from spacediff.recordings.confidential import privately, without_secrets
from spacediff.recordings.model import MOST_CALLS, RecordedCall, Recording, WrittenFile
from spacediff.recordings.unknown_entries import unknown_entries
from spacediff.settings import EXPORT_FPS, Origin, Settings
from spacediff.watch.frames import left_to_the_pipeline
from spacediff.watch.writing import NOT_FINISHED, NOTES, TENSORS

_LONGEST = 300
_SAYS_IGNORED = re.compile(r"[Kk]eyword arguments (\{.*?\}) are not expected by (\w+) and will be ignored", re.DOTALL)


def is_in_a_call(folder: Path) -> bool:
    """Whether the last call that has begun goes on, as far as its process has written."""
    files = _numbered(folder / "calls", "call.json")
    return bool(files) and _outcome(_read(files[-1])) == NOT_FINISHED


def assembled(folder: Path, script: Path, *, exit_code: int, private: bool, notes: Sequence[str] = ()) -> Recording:
    """Return the recording, and write the clips as `N.mkv` and the tensors as `N.safetensors` into the folder.

    Args:
        folder: What the process has left.
        script: The script.
        exit_code: Its exit code.
        private: Whether to keep only what can hold no text, picture or name of the user.
        notes: What else cannot be recorded.
    """
    process = _read(folder / "process.json")
    said = list(_lines(folder / NOTES))
    notes = [*notes, *said]
    if not process and not said:
        notes.append("the recording did not begin: this interpreter imports no sitecustomize, or did not start")
    written = [WrittenFile.model_validate(_read(file)) for file in _numbered(folder / "written")]
    files = _numbered(folder / "calls", "call.json")
    if len(files) > MOST_CALLS:
        notes.append(f"of {len(files)} calls, the last {MOST_CALLS} are recorded")
    calls = [_call(file, written, None if private else folder, notes) for file in files[-MOST_CALLS:]]
    found = Recording(
        spacediff=__version__,
        script=script.name,
        script_sha256=sha256(script) if script.is_file() else "",
        arguments=tuple(without_secrets([str(each) for each in process.get("argv", ())])),
        python=str(process.get("python", "")),
        exit_code=exit_code,
        calls=tuple(calls),
        written=tuple(written),
        notes=tuple(dict.fromkeys(notes)),
    )
    plain = json.loads((privately(found) if private else found).model_dump_json())
    return Recording.model_validate(redact(plain))


def _call(file: Path, written: list[WrittenFile], clips: Path | None, notes: list[str]) -> RecordedCall:
    """Return a call, and write its clip into the folder of the clips, if there is one."""
    raw = _read(file)
    number = int(raw["number"])
    exports = [each for each in written if each.call == number and each.by.startswith("export_to_")]
    clip: Mapping[str, Any] = raw.get("clip") or {"reason": "the call did not finish"}
    fps = exports[-1].arguments.get("fps") if exports else None
    medium = clip.get("medium", "video")
    frames = _frames(file.parent / "frames.npy", notes)
    shown = None if frames is None else Clip(frames, Fraction(fps or EXPORT_FPS), medium)
    if shown is not None and clips is not None:
        write_lossless(shown, clips / f"{number}.mkv")
    observed = Settings.of(raw.get("settings", {}), Origin.OBSERVED)
    place = raw.get("where") or {}
    return RecordedCall(
        number=number,
        where=f"{PurePath(place['file']).name}:{place['line']}" if place else "",
        outcome=_outcome(raw),
        seconds=raw.get("seconds", 0.0),
        own_seconds=raw.get("own_seconds", 0.0),
        prompt=raw.get("prompt"),
        settings={path: each.value for path, each in observed.items()} | left_to_the_pipeline(raw),
        trace=_trace(raw.get("observation")),
        frames=0 if shown is None else len(shown.frames),
        medium=medium,
        without_clip=clip.get("reason", "its frames are damaged") if shown is None else "",
        digest="" if shown is None else shown.digest,
        censored=tuple(clip.get("censored", ())),
        audio=bool(clip.get("audio")),
        fps=fps,
        machine={name: str(value) for name, value in raw.get("machine", {}).items()},
        messages=tuple(str(each)[:_LONGEST] for each in raw.get("messages", ())),
        ignored=tuple(_ignored(raw.get("messages", ()))),
        warnings=(*_warnings(clip), *unknown_entries(map(str, raw.get("messages", ())))),
        tensors=_tensors(raw, file.parent / TENSORS, clips and clips / f"{number}.safetensors"),
    )


def _tensors(raw: Mapping[str, Any], file: Path, kept: Path | None) -> tuple[str, ...]:
    """Return the names of the tensors, and move their file to its place beside the clips."""
    if kept is None:
        return ()
    if file.is_file():
        file.replace(kept)
    return tuple(raw.get("tensors", ())) if kept.is_file() else ()  # moved where a recording is written repeatedly


def _warnings(clip: Mapping[str, Any]) -> tuple[str, ...]:
    clips = clip.get("clips", 1)
    return (f"the call returned {clips} videos, of which only the first is recorded",) if clips > 1 else ()


def _ignored(messages: Iterable[str]) -> Iterator[Ignored]:
    """Yield the arguments that a library says it has ignored.

    Source: `from_pretrained` in `pipelines/pipeline_utils.py` and `extract_init_dict` in `configuration_utils.py` of
    diffusers 0.42.
    """
    for text in messages:
        said = _SAYS_IGNORED.search(text)
        if said is None:
            continue
        try:
            arguments = ast.literal_eval(said[1])
        except (ValueError, SyntaxError, MemoryError, RecursionError):  # it holds an object
            arguments = dict.fromkeys(re.findall(r"'(\w+)':", said[1]))
        for name, value in dict(arguments).items():
            yield Ignored(argument=f"load.{name}", value=value, given_to=said[2])


def _outcome(raw: Mapping[str, Any]) -> str:
    return str(raw.get("outcome", NOT_FINISHED))


def _trace(seen: Mapping[str, Any] | None) -> TraceRecord | None:
    if seen is None:
        return None
    kept = {name: value for name, value in seen.items() if name in TraceRecord.model_fields and name != "latents"}
    return TraceRecord.model_validate(kept)


def _frames(file: Path, notes: list[str]) -> Any:
    """Return the frames in a file; None without one, or if it is damaged, which is noted."""
    if not file.is_file():
        return None
    try:
        return np.load(file, allow_pickle=False)
    except (OSError, ValueError) as error:
        notes.append(f"call {file.parent.name}: its frames: {error}")
        return None


def _numbered(folder: Path, inner: str = "") -> list[Path]:
    found = {int(each.stem): each / inner if inner else each for each in folder.glob("*") if each.stem.isdecimal()}
    return [file for _, file in sorted(found.items()) if file.is_file()]


def _lines(file: Path) -> Iterator[str]:
    """Yield the texts of a file of JSON lines, of which the last one may be cut off."""
    for line in file.read_text("utf-8").splitlines() if file.is_file() else ():
        with suppress(ValueError):
            yield str(json.loads(line))


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
