"""The weights of a checkpoint by component, from a folder in diffusers' layout.

`model_index.json` names the components; those with a `config.json` are models. Of several sets of files (safetensors
and `.bin`, a variant such as `fp16`, one file or shards) `from_pretrained` reads one, and so does this module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from spacediff.fitting.headers import Stored, read_stored

INDEX = "model_index.json"
OF_LIBRARY = "default"
"""As a dtype: none is given, and the library of the component decides."""
_MAX_JSON_BYTES = 1_000_000
_USUAL_ADAPTER = "pytorch_lora_weights.safetensors"
"""What diffusers names the file of a LoRA that it saves."""
_OTHER_STATES = ("scheduler", "optimizer", "checkpoint")
"""Parts of the names of files that diffusers does not take for adapters."""
_OF_DIFFUSERS = "diffusion_pytorch_model"
_WEIGHTS = re.compile(
    rf"(?P<stem>{_OF_DIFFUSERS}|pytorch_model|model)(?P<shard>-\d{{5}}-of-(?P<shards>\d{{5}}))?"
    r"(?:\.(?P<variant>[^.]+?)(?P<late>-\d{5}-of-(?P<late_shards>\d{5}))?)?"
    r"\.(?P<kind>safetensors|bin)"
)
"""A weight file: `model.safetensors`, `diffusion_pytorch_model-00001-of-00002.safetensors`, `model.fp16.bin`.

Files of other names, such as `open_clip_model.safetensors`, no library loads as a component.
"""


@dataclass(frozen=True)
class Component:
    """A model of a checkpoint.

    Attributes:
        name: Its name in the pipeline, such as `transformer`.
        library: `diffusers` or `transformers`; another name is the checkpoint's own code.
        stored: The tensors of its files.
        dtype: The dtype that it is loaded in beside a pipeline of another; None for the pipeline's, `default` for
            that of its library.
    """

    name: str
    library: str
    stored: Stored
    dtype: str | None = None

    def loaded(self, dtype: str | None) -> int:
        """Return the bytes of its weights in memory.

        Args:
            dtype: That of the pipeline, `float32`, `float16` or `bfloat16`; None: diffusers loads in float32,
                transformers as stored.
        """
        return self.stored.loaded(self._bytes_each(dtype))

    def largest(self, dtype: str | None) -> int:
        """Return the bytes of its largest tensor in memory."""
        return self.stored.largest_loaded(self._bytes_each(dtype))

    def _bytes_each(self, dtype: str | None) -> int | None:
        dtype = None if self.dtype == OF_LIBRARY else self.dtype or dtype
        return BYTES[dtype] if dtype else 4 if self.library == "diffusers" else None


BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
"""Bytes of a value by the name of its data type."""


def components_of(folder: Path, variant: str | None) -> tuple[Component, ...] | None:
    """List the models of a checkpoint with their weights; None if files are missing, or it has another layout.

    Args:
        folder: The checkpoint.
        variant: Variant of the weight files, such as `fp16`, where a component has it.
    """
    index = read_json(folder / INDEX)
    if index is None:
        return None
    found = []
    for name, library in listed_components(index).items():
        place = folder / name
        if not place.is_dir():
            return None
        if not (place / "config.json").is_file():
            continue
        try:
            files = chosen_files((path.name for path in place.iterdir()), variant)
            stored = [read_stored(place / file) for file in files]
        except OSError:
            return None
        if not stored:
            return None
        found.append(Component(name, library, _all(stored)))
    return tuple(found) or None


def listed_components(index: Mapping[str, Any]) -> dict[str, str]:
    """Return the components that `model_index.json` lists, name to library, without those that are left out."""
    return {
        name: entry[0]
        for name, entry in index.items()
        if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str) and _is_a_name(name)  # noqa: PLR2004 - library and class
    }


def chosen_files(names: Iterable[str], variant: str | None) -> list[str]:
    """Return the weight files of a component's folder that `from_pretrained` reads; none where shards are missing.

    Args:
        names: The names of all its files.
        variant: The variant asked for; where a component lacks it, the usual files are read.
    """
    sets: dict[tuple[bool, bool, bool, bool], list[re.Match[str]]] = {}
    for match in filter(None, map(_WEIGHTS.fullmatch, sorted(names))):
        if match["variant"] in {variant or None, None}:
            is_safe, is_whole = match["kind"] == "safetensors", not (match["shard"] or match["late"])
            better = is_safe, match["variant"] is not None, is_whole, match["stem"] == _OF_DIFFUSERS
            sets.setdefault(better, []).append(match)
    chosen = sets[max(sets)] if sets else []
    shards = int(chosen[-1]["shards"] or chosen[-1]["late_shards"] or 0) if chosen else 0
    return [match[0] for match in chosen] if len(chosen) >= shards else []


def adapter_weights(names: Iterable[str]) -> list[str]:
    """Return the files that may hold an adapter; of several, diffusers takes the one with its usual name.

    Args:
        names: The names of all files of its folder.
    """
    found = sorted(
        name for name in names if name.endswith(".safetensors") and not any(x in name for x in _OTHER_STATES)
    )
    return [_USUAL_ADAPTER] if _USUAL_ADAPTER in found else found


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a small JSON table; None if it is missing, too large, or something else."""
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            return None
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _all(stored: Iterable[Stored]) -> Stored:
    total = Stored({})
    for each in stored:
        total = total.together_with(each)
    return total


def _is_a_name(name: str) -> bool:
    """Whether a component's name is that of a folder inside the checkpoint."""
    return not name.startswith((".", "_")) and PurePosixPath(name).name == name and "\\" not in name
