"""The weights of components that are loaded separately from their checkpoint: other folders, files or dtypes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from spacediff.fitting.headers import Stored, read_stored
from spacediff.fitting.named import components_apart, has_weights, is_elsewhere, named_component
from spacediff.fitting.on_hub import weights_on_hub
from spacediff.fitting.weights import Component, chosen_files
from spacediff.scenario.tables.components import NONE
from spacediff.settings import Settings


def with_apart(
    components: Sequence[Component], settings: Settings, *, ask_hub: bool = True
) -> tuple[Component, ...] | None:
    """Return the models of a checkpoint as settings load them; None if the weights of one are unknown.

    Args:
        components: The models of the checkpoint.
        settings: The declared Settings.
        ask_hub: Whether the Hub is asked about weights that are not on this machine.
    """
    result = {each.name: each for each in components}
    for name, table in components_apart(settings).items():
        if table == NONE:
            result.pop(name, None)
            continue
        if not has_weights(name, table):
            continue
        if table.get("quantization", NONE) != NONE:
            return None
        before = result.get(name, Component(name, "diffusers", Stored({})))
        stored = _stored(table, ask_hub=ask_hub)
        if stored is None and is_elsewhere(table):
            return None
        result[name] = replace(before, stored=stored or before.stored, dtype=table.get("dtype"))
    return tuple(each for each in result.values() if each.stored.sizes)


def _stored(table: Mapping[str, Any], *, ask_hub: bool) -> Stored | None:
    """Read which tensors a component's own files have; None if it has none of its own, or they are unknown."""
    if named := named_component(table):
        found = weights_on_hub(named, ask_hub=ask_hub)
        return found.stored if found else None
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
