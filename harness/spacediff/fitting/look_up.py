"""The process that asks the Hub what weights weigh: `python -m spacediff.fitting.look_up`; see `on_hub`.

It gets the headers of the weight files, and of a checkpoint the configuration, which goes into the Hub's cache; and it
says how many bytes of weights are not in that yet. Whatever the Hub sends, the process is ended by its deadline and by
its memory, and writes no file that is larger than `_MOST_FILE_BYTES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from spacediff.conversing import Channel, serve
from spacediff.fitting.headers import Stored, of_unknown_kind, read_stored, stored_of_header
from spacediff.fitting.named import Named, files_of
from spacediff.fitting.weights import INDEX, Component, chosen_files, listed_components, read_json

_MOST_FILES = 100
"""Weight files of one checkpoint whose headers are asked for; the largest video models have about 30."""
_MOST_FILE_BYTES = 2**26
"""Of a configuration or a tokenizer; the largest have 35 MB."""
_LARGEST_FILE_BYTES = 2**43
"""Of weights; the Hub takes no file of more than 500 GB (huggingface.co/docs/hub/storage-limits)."""
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

        self._api = HfApi()
        info = self._api.model_info(name, revision=revision, files_metadata=True, timeout=_PATIENCE_SECONDS)
        self.name, self.commit = name, info.sha
        self._listed = {each.rfilename: each for each in info.siblings or []}

    @property
    def files(self) -> list[str]:
        """The paths of all files."""
        return list(self._listed)

    def lacking(self, files: Iterable[str]) -> dict[str, int]:
        """Return the bytes of files that the Hub's cache does not have, by what names their content.

        Raises:
            ValueError: The Hub gives no size, or none that a file can have.
        """
        return {self._content(file): self._size(file) for file in files if self._cached(file) is None}

    def stored(self, files: Iterable[str]) -> Stored:
        """Return the tensors of files by their headers; raises what huggingface_hub raises, and ValueError as above."""
        total = Stored({})
        for file in files:
            total = total.together_with(self._stored_in(file))
        return total

    def _stored_in(self, file: str) -> Stored:
        if cached := self._cached(file):
            return read_stored(cached)
        if not file.endswith(".safetensors"):
            return of_unknown_kind(self._size(file))
        listed = self._api.parse_safetensors_file_metadata(self.name, file, revision=self.commit).tensors
        tensors = {
            name: {"dtype": each.dtype, "data_offsets": list(each.data_offsets)} for name, each in listed.items()
        }
        return stored_of_header(tensors, self._size(file))

    def _size(self, file: str) -> int:
        size = self._listed[file].size
        if not isinstance(size, int) or not 0 < size <= _LARGEST_FILE_BYTES:
            raise ValueError(f"the Hub says that {file} has {size} bytes")
        return size

    def _content(self, file: str) -> str:
        """Name the content of a file: large ones by their hash, which is the same in every repository and commit."""
        lfs = self._listed[file].lfs
        return str(lfs.sha256) if lfs and lfs.sha256 else f"{self.name}@{self.commit}/{file}"

    def _cached(self, file: str) -> Path | None:
        """Return a file in the Hub's cache, also where another commit has brought it."""
        from huggingface_hub import constants, try_to_load_from_cache
        from huggingface_hub.file_download import repo_folder_name

        found = try_to_load_from_cache(self.name, file, revision=self.commit)
        if isinstance(found, str):
            return Path(found)
        folder = Path(constants.HF_HUB_CACHE, repo_folder_name(repo_id=self.name, repo_type="model"))
        blob = folder / "blobs" / PurePosixPath(self._content(file)).name
        return blob if blob.is_file() else None


def _checkpoint(of: Mapping[str, Any]) -> dict[str, Any]:
    from huggingface_hub import snapshot_download

    repository = _Repository(of["name"], of["revision"])
    folder = Path(snapshot_download(repository.name, revision=repository.commit, allow_patterns=_SMALL_FILES))
    index = read_json(folder / INDEX) or {}
    libraries, chosen = listed_components(index), _chosen(of["variant"], repository.files, index)
    listed = [
        {"name": name, "library": libraries[name], "stored": asdict(repository.stored(files))}
        for name, files in chosen.items()
    ]
    download = {name: repository.lacking(files) for name, files in chosen.items()}
    return {"kind": "found", "folder": str(folder), "components": listed, "download": download}


def _weights(of: Mapping[str, Any]) -> dict[str, Any]:
    named = Named(**{**of, "patterns": tuple(of["patterns"])})
    repository = _Repository(named.repository, named.revision)
    files = files_of(named, repository.files)
    if not 0 < len(files) <= _MOST_FILES:
        return {"kind": "unknown"}
    stored = repository.stored(files) if named.kind == "model" else Stored({})
    return {"kind": "found", "stored": asdict(stored), "download": repository.lacking(files)}


def _chosen(variant: str | None, files: Sequence[str], index: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the weight files of each model; nothing where one has none, or there are too many."""
    chosen = {
        component: [f"{component}/{file}" for file in chosen_files(_files_in(component, files), variant)]
        for component in listed_components(index)
        if f"{component}/config.json" in files
    }
    return {} if sum(map(len, chosen.values())) > _MOST_FILES or not all(chosen.values()) else chosen


def _files_in(component: str, names: Sequence[str]) -> list[str]:
    return [name.removeprefix(f"{component}/") for name in names if name.rpartition("/")[0] == component]


if __name__ == "__main__":
    main()
