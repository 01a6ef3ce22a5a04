"""The file of a recording: a ZIP with `recording.json` and the clips, read with bounds, since strangers send it."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from spacediff.errors import FileExists, FileNotAccessible, RecordingNotReadable, raise_if_disk_full
from spacediff.file_names import read_regular
from spacediff.recordings.model import SCHEMA_VERSION, RecordedCall, Recording
from spacediff.watch.writing import MOST_TENSOR_BYTES

_RECORD = "recording.json"
_MOST_BYTES = 64 * 2**20
"""Of `recording.json`, unpacked: some 20,000 steps with their sketches, which take most of it."""
_MOST_CLIP_BYTES = 8 * 2**30
"""Of a clip, unpacked: eight minutes of lossless 720p."""
_MOST_TENSOR_BYTES = MOST_TENSOR_BYTES + 2**20
"""Of the tensors of a call, with the names and shapes at the beginning of their file."""
_MOST_RATIO = 20
"""Unpacked to packed bytes: FFV1 and tensors can hardly be compressed, so more is an attack on the disk."""
_ZIP = b"PK\x03\x04"
_LONGEST = 300
_QUOTED = 100
"""Characters of a stranger's file in a message."""
_BROKEN = (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)
"""What `zipfile` raises for damaged and encrypted files."""


def write_recording(recording: Recording, folder: Path, file: Path) -> Recording:
    """Write a recording with its clips and tensors into a ZIP, whole or not at all.

    What is too large to be read again is written without sketches, and if need be without traces; a note says so.

    Args:
        recording: The recording.
        folder: The folder of its clips, `N.mkv`, and of its tensors, `N.safetensors`.
        file: The ZIP.

    Returns:
        What was written.
    """
    recording, text = _of_readable_size(recording)
    part = file.with_name(f"{file.name}.part")
    with zipfile.ZipFile(part, "w") as archive:
        archive.writestr(_RECORD, text, compress_type=zipfile.ZIP_DEFLATED)
        for call in recording.calls:
            clip = folder / f"{call.number}.mkv"
            if clip.is_file():
                archive.write(clip, _clip(call))
            if call.tensors:
                archive.write(folder / f"{call.number}.safetensors", _tensors(call))
    part.replace(file)
    return recording


def _of_readable_size(recording: Recording) -> tuple[Recording, str]:
    """Return a recording that is not larger than what is read, and its JSON."""
    text = recording.model_dump_json()
    leaner: list[tuple[str, Callable[[RecordedCall], RecordedCall]]] = [
        ("the sketches", _without_sketches),
        ("the steps", lambda call: call.model_copy(update={"trace": None, "tensors": ()})),
    ]
    for what, reduced in leaner:
        if len(text.encode()) <= _MOST_BYTES:
            break
        note = f"{what} of all calls are left out, since the recording would be too large to be read"
        recording = recording.model_copy(
            update={"calls": tuple(map(reduced, recording.calls)), "notes": (*recording.notes, note)}
        )
        text = recording.model_dump_json()
    return recording, text


def _without_sketches(call: RecordedCall) -> RecordedCall:
    if call.trace is None:
        return call
    noise = call.trace.noise and call.trace.noise.model_copy(update={"sketch": []})
    steps = [step.model_copy(update={"sketch": []}) for step in call.trace.steps]
    return call.model_copy(update={"trace": call.trace.model_copy(update={"noise": noise, "steps": steps})})


def is_recording(file: Path) -> bool:
    """Whether a file is meant as a recording, readable or not: it is named as a ZIP, or begins as one."""
    try:
        if file.suffix.lower() == ".zip":
            return not file.is_dir()
        return read_regular(file, len(_ZIP)).startswith(_ZIP)
    except OSError:
        return False


def read_recording(file: Path) -> Recording:
    """Read a recording.

    Raises:
        RecordingNotReadable: It is no recording, broken, too large, or of another version.
    """
    with _opened(file) as archive:
        if _RECORD not in archive.namelist():
            raise RecordingNotReadable(f"{file} is no recording of spacediff: it has no {_RECORD}")
        info = _entry(archive, _RECORD)
        if info.file_size > _MOST_BYTES:
            raise RecordingNotReadable(f"{file}: {_RECORD} is larger than {_MOST_BYTES // 2**20} MiB")
        content = archive.read(info)
    try:
        return Recording.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        if first["loc"] == ("schema_version",):
            raise RecordingNotReadable(
                f"{file} is of version {str(first['input'])[:_QUOTED]} of the format; this spacediff reads"
                f" {SCHEMA_VERSION}",
                hint="read it with the spacediff that wrote it; or record again",
            ) from error
        place = ".".join(map(str, first["loc"])) or "its text"
        raise RecordingNotReadable(f"{file} is damaged: {place[:_QUOTED]}: {first['msg'][:_QUOTED]}") from error


def unpack_clip(file: Path, call: RecordedCall, target: Path) -> None:
    """Unpack the clip of a call, lossless, into a file.

    Raises:
        RecordingNotReadable: The recording has no such clip, or it is damaged.
    """
    if call.without_clip:
        raise RecordingNotReadable(f"call {call.number} of {file.name} has no clip: {call.without_clip}")
    _unpack(file, call, "clip", target)


def unpack_tensors(file: Path, call: RecordedCall, target: Path) -> None:
    """Unpack the safetensors file of a call.

    Raises:
        RecordingNotReadable: The recording has no such file, or it is damaged.
    """
    _unpack(file, call, "tensors", target)


def _unpack(file: Path, call: RecordedCall, part: Literal["clip", "tensors"], target: Path) -> None:
    """Unpack a part of a call, unless it is larger than ours, or packed more tightly."""
    is_clip = part == "clip"
    name, most_bytes = (_clip(call), _MOST_CLIP_BYTES) if is_clip else (_tensors(call), _MOST_TENSOR_BYTES)
    with _opened(file) as archive:
        if name not in archive.namelist():
            raise RecordingNotReadable(f"{file.name} lacks the {part} of call {call.number}")
        info = _entry(archive, name)
        if info.file_size > min(most_bytes, _MOST_RATIO * info.compress_size):
            larger = f"{'is' if is_clip else 'are'} larger than any of ours"
            raise RecordingNotReadable(f"the {part} of call {call.number} of {file.name} {larger}")
        with archive.open(info) as packed, target.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)


def _clip(call: RecordedCall) -> str:
    return f"clips/{call.number}.mkv"


def _tensors(call: RecordedCall) -> str:
    return f"tensors/{call.number}.safetensors"


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    """Open a recording; whatever is wrong with the ZIP is one error that names the file."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except FileNotFoundError as error:
        raise RecordingNotReadable(f"there is no file {file}") from error
    except PermissionError as error:
        raise RecordingNotReadable(f"{file} cannot be read: {error.strerror}") from error
    except _BROKEN as error:
        raise_if_disk_full(error)
        raise RecordingNotReadable(f"{file} is damaged, or no recording of spacediff: {error}"[:_LONGEST]) from error


def _entry(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """Return the only entry of a name, packed in one of the two ways that need little memory.

    Raises:
        zipfile.BadZipFile: There are several, of which two readers could take two; or it is packed otherwise.
    """
    found = [info for info in archive.infolist() if info.filename == name]
    if len(found) > 1:
        raise zipfile.BadZipFile(f"it has {len(found)} entries {name}")
    if found[0].compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise zipfile.BadZipFile(f"{name} is packed in an unknown way")
    return found[0]


def make_writable(file: Path) -> None:
    """Check that a recording can be written, before a script runs for minutes.

    Raises:
        FileExists: There is a file that is no recording.
        FileNotAccessible: It is a folder, or its own folder is missing or not writable.
    """
    if file.is_dir():
        raise FileNotAccessible(f"{file} is a folder", hint="name a file in it, such as recording.zip")
    if file.exists() and not _holds_a_record(file):
        raise FileExists(f"{file} is there already, and is no recording", hint="name another file")
    if not file.parent.is_dir():
        raise FileNotAccessible(f"there is no folder {file.parent}", hint="make it, or name another file")
    try:
        part = file.with_name(f"{file.name}.part")
        part.touch()
        part.unlink()
    except OSError as error:
        raise FileNotAccessible(f"{file} cannot be written: {error.strerror}") from error


def _holds_a_record(file: Path) -> bool:
    try:
        with zipfile.ZipFile(file) as archive:
            return _RECORD in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
