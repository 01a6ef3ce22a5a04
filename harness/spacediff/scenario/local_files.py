"""Files and folders of this machine that a scenario names: a missing one is found before anything runs.

The key insight is that a path begins like one, so a Hub id is never taken for a missing folder. What a variant inherits
counts with what it says itself: the id of a LoRA may be the baseline's, and the name of its file the variant's.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from spacediff.errors import Mistake, nearest_name
from spacediff.scenario.adapters import in_order
from spacediff.scenario.locations import Parts, Places, dotted
from spacediff.scenario.messages import mistake_at
from spacediff.scenario.paths import is_path, without_call
from spacediff.scenario.tables.reference import PicturesReference, RecordingReference, Reference, VideoReference
from spacediff.settings import Settings

_FOUND = {
    "nothing": "which does not exist",
    "unreadable": "which this user may not read",
    "file": "which is a file",
    "folder": "which is a folder",
    "other": "which is neither a file nor a folder",
}
_OF_REFERENCES = {"video": "video or picture", "pictures": "picture", "recording": "recording"}
_OF_LOADING = ("config", "original_config", "custom_pipeline")
_MOST_NEIGHBOURS = 1000
"""Names in a folder among which the nearest one is looked for."""
_MOST_SHOWN = 150
"""Characters of a path that are shown, from its end."""


class Kind(NamedTuple):
    """What a path should name: some of the kinds in `_FOUND`, and the words for them."""

    words: str
    kinds: tuple[str, ...] = ("file", "folder")


_FOLDER = Kind("an existing folder", ("folder",))
_FILE = Kind("an existing file", ("file",))
_EITHER = Kind("an existing folder or file")
_ADAPTER = Kind("an existing folder or .safetensors file")
_Named = tuple[Parts, Any, Kind]
"""The place below its owner, the value there, which need not be a path, and what it should name."""


def missing_of_reference(reference: Reference, lines: Places) -> Iterator[Mistake]:
    """Find files of the reference that are not there.

    Args:
        reference: What the clips are compared with.
        lines: The lines of the scenario's keys.
    """
    for source, what in _OF_REFERENCES.items():
        given = getattr(reference, source)
        for where, named in _files_of(given) if given else ():
            file, _ = without_call(named) if source == "recording" else (named, None)
            kind = Kind(f"an existing {what} file", ("file",))
            yield from _missing(str(file), ("reference", source, *where), kind, lines)
    if reference.command is not None:
        for key, path, kind in (
            ("folder", reference.command.folder, _FOLDER),
            ("python", reference.command.python, _FILE),
        ):
            yield from _missing(path and str(path), ("reference", "command", key), kind, lines)


def _files_of(given: VideoReference | PicturesReference | RecordingReference) -> Iterator[tuple[Parts, Path]]:
    named: dict[Parts, Path | tuple[Path, ...]] = {("files", name): each for name, each in given.files.items()}
    named |= {("file",): given.file} if given.file is not None else {}
    for where, files in named.items():
        if isinstance(files, tuple):
            yield from (((*where, index), file) for index, file in enumerate(files))
        else:
            yield where, files


def missing_of_settings(settings: Settings, owners: Sequence[Parts], lines: Places) -> Iterator[Mistake]:
    """Find files and folders of the model, its components, adapters and environment that are not there.

    Args:
        settings: The settings of the baseline or of a variant, with all that it starts from.
        owners: The tables that they are from, the last one first.
        lines: The lines of the scenario's keys.
    """
    for path, value, kind in _named(settings):
        places = ((*owner, *path) for owner in owners)
        where = next((place for place in places if dotted(place) in lines), (*owners[0], *path))
        yield from _missing(value, where, kind, lines)


def _named(settings: Settings) -> Iterator[_Named]:
    model = settings.value("model.id")
    yield ("model", "id"), model, _FILE if str(model).endswith(".safetensors") else _FOLDER
    yield ("env", "requirements"), settings.value("env.requirements"), _FILE
    for name in _OF_LOADING:
        yield ("load", name), settings.value(f"load.{name}"), _EITHER
    for name, table in settings.table("components").items():
        if isinstance(table, Mapping):
            yield ("components", name, "file"), table.get("file"), _FILE
            yield ("components", name, "config"), table.get("config"), _EITHER
            yield from _with_inner(("components", name), table, _FOLDER)
    adapters: list[tuple[str, ...]] = [("lora", name) for name in in_order(settings)]
    adapters += [("textual_inversion", name) for name in settings.table("textual_inversion")]
    for path in (*adapters, ("ip_adapter",)):
        of_kind = settings.table(path[0])
        adapter = of_kind[path[1]] if path[1:] else of_kind
        if isinstance(adapter, Mapping):
            yield from _with_inner(path, adapter, _ADAPTER)


def _with_inner(path: Parts, table: Mapping[str, Any], kind: Kind) -> Iterator[_Named]:
    """Yield the folder of `id`, and what other keys name inside it, where it is one of this machine."""
    root = table.get("id")
    yield (*path, "id"), root, kind
    if not (isinstance(root, str) and is_path(root) and _kind_of(Path(root)) == "folder"):
        return
    folder = Path(root, table.get("subfolder", ""))
    if _kind_of(folder) != "folder":
        yield (*path, "subfolder"), folder.as_posix(), Kind("the name of a folder in that of id", ("folder",))
    elif "weight_name" in table:
        file = folder / table["weight_name"]
        yield (*path, "weight_name"), file.as_posix(), Kind("the name of a file in the folder", ("file",))


def _missing(path: Any, where: Parts, kind: Kind, lines: Places) -> Iterator[Mistake]:
    """Find that a path is not what it should be; a value that is no path, such as a Hub id, is left to others."""
    if not (isinstance(path, str) and is_path(path)):
        return
    found = _kind_of(Path(path))
    if found not in kind.kinds:
        cut = path if len(path) <= _MOST_SHOWN else f"…{path[-_MOST_SHOWN:]}"
        expected = f"{kind.words}; a relative path begins at the scenario's folder"
        yield mistake_at(lines, where, f"{cut!r}, {_FOUND[found]}", expected, _neighbour(Path(path), found))


def _kind_of(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except PermissionError:
        return "unreadable"
    except (OSError, ValueError):
        return "nothing"
    if stat.S_ISDIR(mode):
        return "folder"
    return "file" if stat.S_ISREG(mode) else "other"


def _neighbour(path: Path, found: str) -> str:
    """Return the most similar name in the folder of a path that does not exist; empty if there is none."""
    try:
        names = [each.name for each in islice(path.parent.iterdir(), _MOST_NEIGHBOURS)] if found == "nothing" else []
    except OSError:
        names = []
    return nearest_name(path.name, names)
