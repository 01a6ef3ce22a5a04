"""Where a checkpoint is, and what it weighs: a folder, a snapshot in the Hub's cache, or the Hub itself.

Nothing heavy is downloaded: of a checkpoint that is not on this machine, the Hub gives the headers of its weight files.
Where that fails, the weights are unknown, which is no reason to refuse a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from spacediff.fitting.apart import with_apart
from spacediff.fitting.headers import Stored, of_unknown_kind, stored_of_header
from spacediff.fitting.weights import INDEX, Component, chosen_files, components_of, listed_components, read_json
from spacediff.scenario.paths import is_path
from spacediff.settings import Settings
from spacediff.tiny.checkpoint import BUILTIN

_MOST_FILES = 100
"""Weight files of one checkpoint whose headers are asked for; the largest video models have about 30."""
_PATIENCE_SECONDS = 10.0
_SMALL_FILES = ["*.json", "*.model", "*.txt"]
"""Configurations and tokenizers: what a pipeline needs besides its weights."""


@dataclass(frozen=True)
class Found:
    """A checkpoint whose weights are known.

    Attributes:
        components: Its models.
        folder: The folder with its configuration.
    """

    components: tuple[Component, ...]
    folder: Path

    def loaded(self, dtype: str | None) -> int:
        """Return the bytes of all weights in memory."""
        return sum(each.loaded(dtype) for each in self.components)


def find(settings: Settings, *, ask_hub: bool = True) -> Found | None:
    """Find the checkpoint of a run; None if its weights are unknown, or if it is one of the tiny ones.

    Args:
        settings: The declared Settings.
        ask_hub: Whether the Hub is asked about a checkpoint that is not on this machine.
    """
    found = _find(settings, ask_hub=ask_hub)
    components = with_apart(found.components, settings) if found else None
    return replace(found, components=components) if found and components else None


def _find(settings: Settings, *, ask_hub: bool) -> Found | None:
    model = settings.table("model")
    name, revision, variant = str(model.get("id", "")), model.get("revision"), model.get("variant")
    if not name or name in BUILTIN:
        return None
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _in_folder(folder, variant)
    if is_path(name):
        return None
    snapshot = _snapshot(name, revision)
    found = _in_folder(snapshot, variant) if snapshot else None
    return found or (_on_hub(name, revision, variant) if ask_hub else None)


def _in_folder(folder: Path, variant: str | None) -> Found | None:
    components = components_of(folder, variant)
    return Found(components, folder) if components else None


def _snapshot(name: str, revision: str | None) -> Path | None:
    """Return the folder of a checkpoint in the Hub's cache, which may lack files; None if it is not there."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision, local_files_only=True))
    except Exception:  # noqa: BLE001 - whatever the reason, it is not there
        return None


@cache  # one question for all runs of an audit, also where there is no answer
def _on_hub(name: str, revision: str | None, variant: str | None) -> Found | None:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.utils.tqdm import tqdm

    class Silent(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "disable": True})  # type: ignore[no-untyped-call]

    api = HfApi()
    try:
        info = api.model_info(name, revision=revision, files_metadata=True, timeout=_PATIENCE_SECONDS)
        sizes = {each.rfilename: int(each.size or 0) for each in info.siblings or []}
        small = snapshot_download(name, revision=info.sha, allow_patterns=_SMALL_FILES, tqdm_class=Silent)
        folder = Path(small)
        index = read_json(folder / INDEX) or {}
        header_of = partial(api.parse_safetensors_file_metadata, name, revision=info.sha)
        components = tuple(_components_on_hub(header_of, variant, sizes, index))
    except Exception:  # noqa: BLE001 - offline, no access, another layout: the weights are unknown
        return None
    return Found(components, folder) if components else None


def _components_on_hub(
    header_of: Callable[[str], Any], variant: str | None, sizes: Mapping[str, int], index: Mapping[str, Any]
) -> list[Component]:
    """List the models with what the headers of their files say; raises what huggingface_hub raises."""
    chosen = {
        component: [f"{component}/{file}" for file in chosen_files(_files_in(component, sizes), variant)]
        for component in listed_components(index)
        if f"{component}/config.json" in sizes
    }
    if sum(map(len, chosen.values())) > _MOST_FILES or not all(chosen.values()):
        return []
    libraries = listed_components(index)
    found = []
    for component, files in chosen.items():
        total = Stored({})
        for file in files:
            total = total.together_with(_stored_on_hub(header_of, file, sizes[file]))
        found.append(Component(component, libraries[component], total))
    return found


def _stored_on_hub(header_of: Callable[[str], Any], file: str, size: int) -> Stored:
    if not file.endswith(".safetensors"):
        return of_unknown_kind(size)
    listed = header_of(file).tensors
    tensors = {name: {"dtype": each.dtype, "data_offsets": list(each.data_offsets)} for name, each in listed.items()}
    return stored_of_header(tensors, size)


def _files_in(component: str, names: Mapping[str, int]) -> list[str]:
    return [name.removeprefix(f"{component}/") for name in names if name.rpartition("/")[0] == component]
