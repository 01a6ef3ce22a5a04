"""The process that asks the Hub what a checkpoint weighs: `python -m spacediff.fitting.look_up`; see `checkpoint`.

It gets the headers of the weight files and the configuration, which goes into the Hub's cache, and says how many bytes
of weights are not in it yet. Whatever the Hub sends,
the process is ended by its deadline and by its memory, and writes no file that is larger than `_MOST_FILE_BYTES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from spacediff.conversing import Channel, serve
from spacediff.fitting.headers import Stored, of_unknown_kind, stored_of_header
from spacediff.fitting.weights import INDEX, Component, chosen_files, listed_components, read_json

_MOST_FILES = 100
"""Weight files of one checkpoint whose headers are asked for; the largest video models have about 30."""
_MOST_FILE_BYTES = 2**26
"""Of a configuration or a tokenizer; the largest have 35 MB."""
_PATIENCE_SECONDS = 10.0
_SMALL_FILES = ["*.json", "*.model", "*.txt"]
"""Configurations and tokenizers: what a pipeline needs besides its weights."""


def main() -> None:
    """Answer what is asked until the asking process ends."""
    serve(_answered, _MOST_FILE_BYTES)


def component_from(listed: Mapping[str, Any]) -> Component:
    """Return a component from the answer of the process, which made it of checked numbers."""
    size, dtype = listed["largest"]
    return Component(listed["name"], listed["library"], Stored(listed["sizes"], (size, dtype)))


def _answered(asked: dict[str, Any], _: Channel) -> Mapping[str, Any]:
    try:
        return _look_up(**asked)
    except Exception:  # noqa: BLE001 - offline, no access, another layout: the weights are unknown
        return {"kind": "unknown"}


def _look_up(name: str, revision: str | None, variant: str | None) -> dict[str, Any]:
    from huggingface_hub import HfApi, snapshot_download, try_to_load_from_cache

    api = HfApi()
    info = api.model_info(name, revision=revision, files_metadata=True, timeout=_PATIENCE_SECONDS)
    sizes = {each.rfilename: int(each.size or 0) for each in info.siblings or []}
    folder = Path(snapshot_download(name, revision=info.sha, allow_patterns=_SMALL_FILES))
    index = read_json(folder / INDEX) or {}
    header_of = partial(api.parse_safetensors_file_metadata, name, revision=info.sha)
    chosen = _chosen(variant, sizes, index)
    download = {
        component: sum(
            sizes[file] for file in files if not isinstance(try_to_load_from_cache(name, file, revision=info.sha), str)
        )
        for component, files in chosen.items()
    }
    listed = [
        {"name": each.name, "library": each.library, "sizes": each.stored.sizes, "largest": each.stored.largest}
        for each in _components_on_hub(header_of, chosen, sizes, index)
    ]
    return {"kind": "found", "folder": str(folder), "components": listed, "download": download}


def _chosen(variant: str | None, sizes: Mapping[str, int], index: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the weight files of each model; nothing where one has none, or there are too many."""
    chosen = {
        component: [f"{component}/{file}" for file in chosen_files(_files_in(component, sizes), variant)]
        for component in listed_components(index)
        if f"{component}/config.json" in sizes
    }
    return {} if sum(map(len, chosen.values())) > _MOST_FILES or not all(chosen.values()) else chosen


def _components_on_hub(
    header_of: Callable[[str], Any],
    chosen: Mapping[str, Sequence[str]],
    sizes: Mapping[str, int],
    index: Mapping[str, Any],
) -> list[Component]:
    """List the models with what the headers of their files say; raises what huggingface_hub raises."""
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


if __name__ == "__main__":
    main()
