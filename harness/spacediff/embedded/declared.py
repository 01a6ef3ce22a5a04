"""The settings that a file declares, with the text that each comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spacediff.embedded.comfy import read_comfy
from spacediff.embedded.found import Found
from spacediff.embedded.records import read_invoke, read_record
from spacediff.embedded.texts import NAMES, EmbeddedText, texts_in_picture, texts_in_video
from spacediff.embedded.web_ui import read_web_ui
from spacediff.errors import PictureNotReadable
from spacediff.pictures import PictureFile, picture_set
from spacediff.settings import Origin, Setting, Settings, numbers_only

_ARCHIVE = b"PK\3\4"
_VIDEOS = {".mp4", ".webm", ".mkv", ".mov", ".gif", ".avi", ".m4v"}
_GRAPHS = ("prompt:", "workflow:")
"""How ComfyUI begins an EXIF tag."""


@dataclass(frozen=True)
class Declared:
    """What a file declares.

    Attributes:
        program: The program in whose format it is; empty if the file declares nothing.
        settings: The settings; what is only quoted stands under `file.`.
        problem: Why its settings could not be read; empty if they could, or there are none.
    """

    program: str = ""
    settings: Settings = field(default_factory=Settings)
    problem: str = ""


def is_media_file(path: Path) -> bool:
    """Whether a path is a picture, by its content, or a video, by its name."""
    if not path.is_file():
        return False
    try:
        return path.suffix.lower() in _VIDEOS or bool(PictureFile.at(path).format)
    except (OSError, PictureNotReadable):
        return False


def files_in(path: Path) -> Sequence[Path | PictureFile]:
    """Return the pictures of a set, or the file itself."""
    with path.open("rb") as file:
        is_archive = file.read(len(_ARCHIVE)) == _ARCHIVE
    pictures = picture_set(path) if is_archive else None
    return [path] if pictures is None else pictures.files


def declared_in(file: Path | PictureFile, size: tuple[int, int] | None = None) -> Declared:
    """Return the settings that a program wrote into a picture or video file.

    Args:
        file: The file; one that is damaged declares nothing.
        size: Width and height of its frames. A declared size that is another one is only quoted: the file was resized.

    Returns:
        What it declares. A text that cannot be read for any reason makes no file unreadable: `problem` then says so.
    """
    try:
        return _declared_in(file, size)
    except Exception as error:  # noqa: BLE001 - the texts are untrusted, and the frames can be compared without them
        return Declared(problem=f"the settings written into {file.name} could not be read: {type(error).__name__}")


def _declared_in(file: Path | PictureFile, size: tuple[int, int] | None) -> Declared:
    """Return what the first text that declares settings declares, in the order of `NAMES`."""
    name = file.name
    for text in sorted(_texts(file), key=lambda text: NAMES.index(text.name)):
        found = _read(text)
        if found is not None and (found.settings or found.quoted):
            where = f"{text.place} of {name}"
            _quote_other_size(found, size)
            values = {**found.settings, **{f"file.{key}": value for key, value in found.quoted.items()}}
            return Declared(
                found.program,
                Settings({path: Setting(value, Origin.DECLARED, where) for path, value in values.items()}),
            )
    return Declared()


def declared_in_all(files: Sequence[Path | PictureFile], size: tuple[int, int] | None = None) -> Declared:
    """Return the settings that several files declare alike."""
    found = [declared_in(file, size) for file in files]
    problem = next((each.problem for each in found if each.problem), "")
    first, *others = found
    same = {
        path: setting
        for path, setting in first.settings.items()
        if all(path in other.settings and other.settings.value(path) == setting.value for other in others)
    }
    return Declared(first.program if same else "", Settings(same), problem)


def without_texts(declared: Declared) -> Declared:
    """Return only the numbers of what a file declares: a text may be, or quote, a private prompt."""
    numbers = numbers_only(declared.settings)
    kept = Settings({path: each for path, each in numbers.items() if not path.startswith("file.")})
    return Declared(declared.program, kept, declared.problem)


def _texts(file: Path | PictureFile) -> list[EmbeddedText]:
    try:
        picture = PictureFile.at(file) if isinstance(file, Path) else file
        is_picture = bool(picture.format)
    except (OSError, PictureNotReadable):
        return []
    if is_picture:
        return texts_in_picture(picture)
    return texts_in_video(file) if isinstance(file, Path) else []


def _read(text: EmbeddedText) -> Found | None:
    """Return what a text declares; None if no program is known that writes such a text."""
    content = text.text.strip()
    for beginning in _GRAPHS:
        content = content.removeprefix(beginning)
    record = _json(content)
    if record is None:
        return read_web_ui(content)
    if text.name == "invokeai_metadata":
        return read_invoke(record)
    inner = record.get("prompt")  # VideoHelperSuite writes the graph as text into its comment
    graph = _json(inner) if isinstance(inner, str) else inner
    if isinstance(graph, Mapping) and (found := read_comfy(graph)):
        return found
    return read_comfy(record) or read_record(record)


def _json(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _quote_other_size(found: Found, size: tuple[int, int] | None) -> None:
    declared = tuple(found.settings.get(f"call.{side}") for side in ("width", "height"))
    if size is None or declared in (size, (None, None)):
        return
    for side in ("width", "height"):
        found.quote(side, found.settings.pop(f"call.{side}", None))
