"""The weights of components that are loaded separately from their checkpoint: other folders, files or dtypes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from spacediff.fitting.headers import Stored, read_stored
from spacediff.fitting.weights import Component, chosen_files
from spacediff.settings import Settings

_NONE = "none"
_VAE = "vae"


def with_apart(components: Sequence[Component], settings: Settings) -> tuple[Component, ...] | None:
    """Return the models of a checkpoint as settings load them; None if the weights of one are not on this machine.

    Args:
        components: The models of the checkpoint.
        settings: The declared Settings.
    """
    declared: dict[str, Any] = settings.table("components")
    if dtype := settings.value("vae.dtype"):
        own = declared.get(_VAE, {})
        declared[_VAE] = own if own == _NONE else {**own, "dtype": dtype}
    result = {each.name: each for each in components}
    for name, table in declared.items():
        if table == _NONE:
            result.pop(name, None)
            continue
        before = result.get(name, Component(name, "diffusers", Stored({})))
        stored = _stored(table)
        if stored is None and ("id" in table or "file" in table):
            return None
        result[name] = replace(before, stored=stored or before.stored, dtype=table.get("dtype"))
    return tuple(each for each in result.values() if each.stored.sizes)


def _stored(table: Mapping[str, Any]) -> Stored | None:
    """Read which tensors a component's own files have; None if it has none of its own here."""
    try:
        if "file" in table:
            return read_stored(Path(table["file"]))
        folder = Path(table.get("id", ""), table.get("subfolder", ""))
        if "id" not in table or not folder.is_dir():
            return None
        total = Stored({})
        for name in chosen_files((path.name for path in folder.iterdir()), table.get("variant")):
            total = total.together_with(read_stored(folder / name))
    except OSError:
        return None
    return total
