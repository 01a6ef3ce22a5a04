"""What is loaded in addition to a pipeline and can be unloaded again: IP adapters and textual inversion."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from spacediff.reading.interpreter.state import State
from spacediff.reading.libraries.checkpoints import located
from spacediff.reading.libraries.diffusers.paths import name_in_a_path
from spacediff.reading.values import Absent, Arguments, Function, Known, Object, Value

_LOADED = {"load_ip_adapter": "ip_adapter", "load_textual_inversion": "textual_inversion"}
_UNLOADED = {"unload_ip_adapter": "ip_adapter", "unload_textual_inversion": "textual_inversion"}
_ARGUMENTS = ("weight_name", "subfolder", "token", "image_encoder_folder")
"""Arguments of a loader that become settings."""


def change_additions(state: State, pipeline: Object, name: str, arguments: Arguments, node: ast.AST) -> bool:
    """Follow a method that loads, weighs or removes an addition; return whether it is one."""
    if name in _LOADED:
        _load(state, pipeline, _LOADED[name], arguments, node)
    elif name in _UNLOADED:
        for path in [path for path in state.heap.cell(pipeline.cell) if path.startswith(f"{_UNLOADED[name]}.")]:
            state.put(pipeline, path, Absent(state.where(node)))
    elif name == "set_ip_adapter_scale":
        state.put(pipeline, "ip_adapter.scale", arguments.get("scale", 0) or state.unknown(node))
    else:
        return False
    return True


def change_additions_by_own_method(state: State, function: Function, arguments: Arguments, node: ast.AST) -> None:
    """Follow a method of a pipeline of the source that does what a method of diffusers does, as its name says."""
    owner = function.given[0][0] if function.given[0] else None
    name = "load_ip_adapter" if function.name.startswith("load_ip_adapter") else function.name
    if isinstance(owner, Object) and owner.kind == "pipeline":
        change_additions(state, owner, name, arguments, node)


def _load(state: State, pipeline: Object, what: str, arguments: Arguments, node: ast.AST) -> None:
    """Keep what is loaded; textual inversions by name, since there may be several."""
    source = arguments.get("pretrained_model_name_or_path_or_dict", 0) or arguments.get("pretrained_model_name_or_path")
    place = located(state, source if source is not None else state.unknown(node))
    found = {"id": place.repository, "weight_name": place.path}
    found |= {key: arguments.named[key] for key in _ARGUMENTS if key in arguments.named}
    table = what if what == "ip_adapter" else f"{what}.{_name(state, pipeline, found)}"
    for key, value in found.items():
        if value is not None:
            state.put(pipeline, f"{table}.{key}", value)


def _name(state: State, pipeline: Object, found: Mapping[str, Value | None]) -> str:
    """Return a name for a textual inversion: that of its token, or else of its place among them."""
    known = {path.split(".")[1] for path in state.heap.cell(pipeline.cell) if path.startswith("textual_inversion.")}
    token = found.get("token")
    name = name_in_a_path(str(token.value)) if isinstance(token, Known) else ""
    return name or f"default_{len(known)}"
