"""The process that asks the Hub what weights weigh: `python -m spacediff.fitting.look_up`; see `on_hub`.

It gets the headers of the weight files, and of a checkpoint the configuration, which goes into the Hub's cache; and it
says how many bytes of weights are not in that yet. Whatever the Hub sends, the process is ended by its deadline and by
its memory, and writes no file that is larger than `_MOST_FILE_BYTES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from spacediff.conversing import Channel, serve
from spacediff.fitting.headers import Stored, of_unknown_kind, stored_of_header
from spacediff.fitting.named import Named, files_of
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
    return Component(listed["name"], listed["library"], stored_from(listed["stored"]))


def stored_from(listed: Mapping[str, Any]) -> Stored:
    """Return tensors from the answer of the process."""
    size, dtype = listed["largest"]
    return Stored(listed["sizes"], (size, dtype))


def _answered(asked: dict[str, Any], _: Channel) -> Mapping[str, Any]:
    try:
        return (_weights if asked["what"] == "weights" else _checkpoint)(asked["of"])
    except Exception:  # noqa: BLE001 - offline, no access, another layout: the weights are unknown
        return {"kind": "unknown"}


class _Repository:
    """A repository as the Hub lists it now.

    Args:
        name: `ORG/NAME`.
        revision: Branch, tag or commit; None for the newest.
    """

    def __init__(self, name: str, revision: str | None) -> None:
        from huggingface_hub import HfApi

        api = HfApi()
        info = api.model_info(name, revision=revision, files_metadata=True, timeout=_PATIENCE_SECONDS)
        self.name, self.commit = name, info.sha
        self.sizes = {each.rfilename: max(int(each.size or 0), 0) for each in info.siblings or []}
        self._header_of = partial(api.parse_safetensors_file_metadata, name, revision=info.sha)

    def lacking(self, files: Iterable[str]) -> int:
        """Return the bytes of files that the Hub's cache does not have."""
        from huggingface_hub import try_to_load_from_cache

        cached = partial(try_to_load_from_cache, self.name, revision=self.commit)
        return sum(self.sizes[file] for file in files if not isinstance(cached(file), str))

    def stored(self, files: Iterable[str]) -> Stored:
        """Return the tensors of files by their headers; raises what huggingface_hub raises."""
        total = Stored({})
        for file in files:
            total = total.together_with(self._stored_in(file))
        return total

    def _stored_in(self, file: str) -> Stored:
        if not file.endswith(".safetensors"):
            return of_unknown_kind(self.sizes[file])
        listed = self._header_of(file).tensors
        tensors = {
            name: {"dtype": each.dtype, "data_offsets": list(each.data_offsets)} for name, each in listed.items()
        }
        return stored_of_header(tensors, self.sizes[file])


def _checkpoint(of: Mapping[str, Any]) -> dict[str, Any]:
    from huggingface_hub import snapshot_download

    repository = _Repository(of["name"], of["revision"])
    folder = Path(snapshot_download(repository.name, revision=repository.commit, allow_patterns=_SMALL_FILES))
    index = read_json(folder / INDEX) or {}
    libraries, chosen = listed_components(index), _chosen(of["variant"], repository.sizes, index)
    listed = [
        {"name": name, "library": libraries[name], "stored": asdict(repository.stored(files))}
        for name, files in chosen.items()
    ]
    download = {name: repository.lacking(files) for name, files in chosen.items()}
    return {"kind": "found", "folder": str(folder), "components": listed, "download": download}


def _weights(of: Mapping[str, Any]) -> dict[str, Any]:
    named = Named(**of)
    repository = _Repository(named.repository, named.revision)
    files = files_of(named, repository.sizes)
    if not 0 < len(files) <= _MOST_FILES:
        return {"kind": "unknown"}
    stored = Stored({}) if named.is_adapter else repository.stored(files)
    return {"kind": "found", "stored": asdict(stored), "download": repository.lacking(files)}


def _chosen(variant: str | None, sizes: Mapping[str, int], index: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the weight files of each model; nothing where one has none, or there are too many."""
    chosen = {
        component: [f"{component}/{file}" for file in chosen_files(_files_in(component, sizes), variant)]
        for component in listed_components(index)
        if f"{component}/config.json" in sizes
    }
    return {} if sum(map(len, chosen.values())) > _MOST_FILES or not all(chosen.values()) else chosen


def _files_in(component: str, names: Mapping[str, int]) -> list[str]:
    return [name.removeprefix(f"{component}/") for name in names if name.rpartition("/")[0] == component]


if __name__ == "__main__":
    main()
