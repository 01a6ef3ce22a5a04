"""What peft has put into the models of a pipeline: the layers of an adapter, and what they do.

The key insight: a library that accepts an adapter need not use it. So what acts is read from the layers after loading,
and not from what was asked for.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from typing import Any

Layers = Mapping[str, Mapping[str, Any]]
"""Component to name of a module to the layer of peft."""
_DIGITS = 10


def adapters_in(pipeline: Any) -> list[str]:
    """Return the names of the adapters that the models of a pipeline have; none before peft was imported."""
    kind = _layer_class()
    if kind is None:
        return []
    models = [each for each in pipeline.components.values() if hasattr(each, "modules")]
    layers = [layer for model in models for layer in model.modules() if isinstance(layer, kind)]
    return sorted({name for layer in layers for name in getattr(layer, "scaling", {})})


def layers_of(pipeline: Any, name: str) -> Layers:
    """Return the layers of the components of a pipeline that have an adapter."""
    found = {
        component: dict(_with_adapter(module, name))
        for component, module in pipeline.components.items()
        if hasattr(module, "named_modules")
    }
    return {component: layers for component, layers in found.items() if layers}


def _with_adapter(model: Any, name: str) -> Iterator[tuple[str, Any]]:
    kind = _layer_class()
    for path, module in model.named_modules() if kind is not None else ():
        if isinstance(module, kind) and any(
            name in getattr(module, matrices) for matrices in module.adapter_layer_names if hasattr(module, matrices)
        ):
            yield path, module


def scales_of(layers: Layers, name: str) -> dict[str, Any]:
    """Return by which scale an adapter acts in each component: a number, or the sorted numbers of its layers."""
    found = {
        component: sorted({_scale(layer, name) for layer in of_component.values()})
        for component, of_component in layers.items()
    }
    return {component: scales[0] if len(scales) == 1 else scales for component, scales in found.items()}


def _scale(layer: Any, name: str) -> float:
    """Return the factor of an adapter's matrices in a layer; 0 where it does not act."""
    merged = name in layer.merged_adapters
    acts = merged or (name in layer.active_adapters and not layer.disable_adapters and not layer.merged)
    alpha = getattr(layer, "lora_alpha", {}).get(name)
    if not acts:
        return 0.0
    if alpha is None:
        return round(float(layer.scaling[name]), _DIGITS)
    rank = layer.r[name]
    usual = alpha / (math.sqrt(rank) if getattr(layer, "use_rslora", {}).get(name) else rank)
    return round(float(layer.scaling[name]) / usual, _DIGITS) if usual else 0.0


def is_fused(layers: Layers, name: str) -> bool:
    """Whether an adapter is added to the weights of any layer."""
    return any(name in layer.merged_adapters for of_component in layers.values() for layer in of_component.values())


def _layer_class() -> Any:
    """Return the class of peft's layers; None before peft was imported, when no model has one."""
    return getattr(sys.modules.get("peft.tuners.tuners_utils"), "BaseTunerLayer", None)
