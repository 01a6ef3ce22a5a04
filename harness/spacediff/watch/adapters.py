"""The adapters that peft has put into the models of a pipeline: which act, how much, and whether they are fused."""

from __future__ import annotations

from typing import Any

from ..observer.adapter_layers import adapters_in, is_fused, layers_of, scales_of
from .weights import fingerprint_of_adapter
from .writing import Writer


def adapters_of(pipeline: Any, writer: Writer) -> dict[str, Any]:
    """Return the adapters by name: `active`, by which scale each acts in each component, `fused` and `weights`.

    The first two are the paths of a run of an audit, so that both compare.

    Args:
        pipeline: The pipeline.
        writer: Notes weights that cannot be read.
    """
    found: dict[str, Any] = {}
    for name in adapters_in(pipeline):
        layers = layers_of(pipeline, name)
        found[name] = {"active": scales_of(layers, name), "fused": is_fused(layers, name)}
        with writer.noting(f"the weights of an adapter: {name}"):
            found[name]["weights"] = fingerprint_of_adapter(layers, name)
    return found
