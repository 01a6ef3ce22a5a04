"""Files that a Space gets: unchanged copies under neutral names, in the form that each Gradio component expects."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spacediff.errors import SpaceApiMismatch
from spacediff.inputs.files import Input, ensure_unchanged
from spacediff.inputs.placeholders import inputs_named_in, texts_with_places
from spacediff.sources.space.messages import Copies

UPLOADS = frozenset({"image", "video", "audio", "file", "gallery", "imageeditor"})
"""Components that may be left empty: the Space's page then sends null, and so does spacediff."""
_PLAIN = frozenset({"textbox", "number", "slider", "checkbox", "checkboxgroup", "dropdown", "radio"})
"""Components that take no file."""


def component_of(parameter: Mapping[str, Any]) -> str:
    """Return the component of a parameter in small letters: Gradio's API writes `Imageeditor` for `ImageEditor`."""
    return str(parameter.get("component")).lower()


@contextmanager
def copies_of(inputs: Sequence[Input]) -> Iterator[dict[str, Copies]]:
    """Copy the files that a Space gets into a temporary folder, by the name of the input.

    A file is uploaded as it is, byte for byte, but under another name: the Space sees `image.png`.

    Raises:
        InputUnusable: A file has changed since the audit was planned.
    """
    with tempfile.TemporaryDirectory(prefix="spacediff-upload-") as folder:
        copies: dict[str, Copies] = {}
        for each in inputs:
            ensure_unchanged(each)
            paths = [
                str(shutil.copyfile(file.path, Path(folder, f"{each.name}{number or ''}{_ending(file.path)}")))
                for number, file in enumerate(each.files)
            ]
            copies[each.name] = Copies(paths=tuple(paths), listed=each.listed)
        yield copies


def handles_of(copies: Mapping[str, Copies]) -> dict[str, Any]:
    """Make what gradio_client uploads, by the name of the input: a file's data, or a list of them."""
    from gradio_client import handle_file

    made = {name: [handle_file(path) for path in each.paths] for name, each in copies.items()}
    return {name: each if copies[name].listed else each[0] for name, each in made.items()}


def _ending(path: str) -> str:
    ending = Path(path).suffix.lower()
    return ending if re.fullmatch(r"\.[a-z0-9]{1,5}", ending) else ""


def refuse_other_kinds(space: str, endpoint: str, name: str, value: Any, parameter: Mapping[str, Any]) -> None:
    """Refuse a text for a component that takes a file, and a file for one that takes something else.

    Raises:
        SpaceApiMismatch: The Space could not use the value.
    """
    files, component = inputs_named_in(value), component_of(parameter)
    if files and component in _PLAIN:
        raise SpaceApiMismatch(
            f"{space} takes no file as {name!r} at {endpoint}, since that is a {parameter['component']}",
            hint=f"give {{file:{files[0]}}} to a parameter that takes a picture or video",
        )
    paths = [text for _, text in texts_with_places(value) if not text.startswith(("http://", "https://"))]
    if component in UPLOADS and paths and not files:
        raise SpaceApiMismatch(
            f"{space} takes a file as {name!r} at {endpoint}, and the scenario gives a text",
            hint=f'name the file in [prompts.NAME.inputs], such as image = "a.png", and give {name} = "{{file:image}}"',
        )


def as_expected(value: Any, parameter: Mapping[str, Any]) -> Any:
    """Wrap a file's data as its component expects: a gallery's entries, an editor's layers, a video's subtitles."""
    match component_of(parameter):
        case "gallery":
            entries = value if isinstance(value, list) else [value]
            return [{"image": entry, "caption": None} if _is_file(entry) else entry for entry in entries]
        case "imageeditor" if _is_file(value):
            return {"background": value, "layers": [], "composite": value}
        case "video" if _is_file(value) and "video" in _properties(parameter):  # before Gradio 6
            return {"video": value, "subtitles": None}
    return value


def _is_file(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("meta"), Mapping)


def _properties(parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = parameter.get("type")
    found = kind.get("properties") if isinstance(kind, Mapping) else None
    return found if isinstance(found, Mapping) else {}
