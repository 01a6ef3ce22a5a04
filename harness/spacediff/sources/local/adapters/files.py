"""The files of adapters: found in a folder, or downloaded from the Hub; safetensors only, since a pickle runs code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from spacediff.errors import CheckpointUnavailable, failure
from spacediff.fitting.weights import adapter_weights
from spacediff.hub.asking import files_of_model
from spacediff.scenario.paths import is_path

SAFETENSORS = ".safetensors"


@dataclass(frozen=True)
class AdapterFile:
    """The file of an adapter.

    Attributes:
        root: The folder, or the snapshot of a repository.
        subfolder: Its folder below, empty for none.
        name: The name of the file.
        commit: The Hub commit of the repository; empty for a local file.
    """

    root: Path
    subfolder: str
    name: str
    commit: str = ""

    @property
    def folder(self) -> Path:
        """The folder of the file."""
        return self.root / self.subfolder

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / self.name


def adapter_file(setting: str, source: Mapping[str, Any], *, further: Sequence[str] = ()) -> AdapterFile:
    """Return the file of an adapter; from the Hub it is downloaded.

    Args:
        setting: Dotted path of the adapter, for errors.
        source: The adapter's settings: `id`, `weight_name`, `subfolder`, `revision`.
        further: Patterns of further files of the repository that are needed.

    Raises:
        CheckpointUnavailable: There is no such file, there are several, or it is pickled.
    """
    place, name, subfolder = source["id"], source.get("weight_name", ""), source.get("subfolder", "")
    if not is_path(place):
        return _downloaded(setting, source, further)
    path = Path(place)
    if path.is_file():
        _refuse_pickles(setting, path.name)
        return AdapterFile(path.parent, "", path.name)
    folder = path / subfolder
    if not folder.is_dir():
        raise CheckpointUnavailable(
            f"{setting}.id: there is no file or folder {folder}", hint="give a .safetensors file, a folder or a Hub id"
        )
    name = name or _only(setting, [each.name for each in folder.iterdir() if each.is_file()], place)
    if not (folder / name).is_file():
        raise CheckpointUnavailable(f"{setting}.weight_name: there is no file {name} in {folder}")
    return AdapterFile(path, subfolder, name)


def _downloaded(setting: str, source: Mapping[str, Any], further: Sequence[str]) -> AdapterFile:
    from huggingface_hub import hf_hub_download, snapshot_download

    place, name, subfolder = source["id"], source.get("weight_name", ""), source.get("subfolder", "")
    revision = source.get("revision")
    try:
        if not name:
            listed = [PurePosixPath(each) for each in files_of_model(place, revision)]
            inside = [each.name for each in listed if each.parent == PurePosixPath(subfolder)]
            name = _only(setting, inside, place)
        file = Path(hf_hub_download(place, name, subfolder=subfolder or None, revision=revision))
        root = file.parents[len(PurePosixPath(subfolder).parts)]
        if further:
            snapshot_download(place, revision=root.name, allow_patterns=list(further))
    except CheckpointUnavailable:
        raise
    except Exception as error:
        raise CheckpointUnavailable(
            f"{setting}: {f'{name} of ' if name else ''}{place} is not on this machine, and the download from the Hub "
            f"failed: {failure(error)}",
            hint="check the id, the file's name, the network and, for gated repositories, HF_TOKEN",
        ) from error
    return AdapterFile(root, subfolder, name, root.name)


def _only(setting: str, names: Sequence[str], place: str) -> str:
    """Return the file that holds the weights; of several, diffusers would take one by chance."""
    found = adapter_weights(names)
    if len(found) == 1:
        return found[0]
    if not found:
        for name in sorted(names):
            _refuse_pickles(setting, name)
        raise CheckpointUnavailable(f"{setting}: there is no {SAFETENSORS} file in {place}")
    raise CheckpointUnavailable(
        f"{setting}: {place} has several {SAFETENSORS} files: {', '.join(found)}", hint=f"set {setting}.weight_name"
    )


def _refuse_pickles(setting: str, name: str) -> None:
    if name.endswith((".bin", ".pt", ".pth", ".ckpt", ".pkl")):
        raise CheckpointUnavailable(
            f"{setting}: {name} is pickled, and reading a pickle runs code, so spacediff does not",
            hint=f"where you trust it, convert it to {SAFETENSORS} with safetensors.torch.save_file",
        )
