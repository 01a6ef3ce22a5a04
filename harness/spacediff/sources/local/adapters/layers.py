"""Layers of an adapter and its file: what of the file has no layer, and weights of their own for what is fused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from spacediff.observer.adapter_layers import Layers

_MATRIX = re.compile(
    r"\.(lora_A|lora_B|lora_down|lora_up|lora_embedding_[AB]|lora_magnitude_vector|lora_linear_layer|lora|lokr_\w+|"
    r"alpha|up|down|processor)(\..*)?$"
)
"""The end of a key that names a matrix of a layer."""
_ATTENTION = re.compile(r"\.processor\.to_(q|k|v|out)_lora$")


def own_weights(layers: Layers) -> None:
    """Give layers weights of their own, which a fusion may change: those of a run are shared with all others."""
    for of_component in layers.values():
        for layer in of_component.values():
            for parameter in layer.get_base_layer().parameters(recurse=False):
                parameter.data = parameter.data.clone()


def without_layer(keys: Mapping[str, Any], layers: Layers, component: str | None) -> list[str]:
    """Return the modules that the file of an adapter has matrices for and that have no layer in the pipeline.

    Args:
        keys: The names of the matrices, as diffusers converts them.
        layers: The layers of the adapter.
        component: The only component that it was loaded into; None for those that its keys name.
    """
    there = {owner: {_plain(path) for path in of_component} for owner, of_component in layers.items()}
    named = {_module_of(key) for key in keys if "lora" in key or "lokr" in key}
    return sorted(module for module in named if not _is_there(module, there, component))


def _is_there(module: str, there: Mapping[str, set[str]], component: str | None) -> bool:
    owner, _, path = module.partition(".")
    return _plain(path) in there.get(component or owner, ())


def _module_of(key: str) -> str:
    """Return the path of the module that a matrix belongs to, with its component."""
    path = _MATRIX.sub("", key) if "processor" not in key else key.rpartition("_lora.")[0] + "_lora"
    old = _ATTENTION.search(path)
    if old is None:
        return path
    return _ATTENTION.sub(".to_out.0" if old[1] == "out" else f".to_{old[1]}", path)


def _plain(path: str) -> str:
    """Return a module's path without a level that newer versions of transformers have removed."""
    return path.removeprefix("text_model.")
