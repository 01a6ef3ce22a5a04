"""Fingerprints of the weights of a component, as they are in memory when a call begins.

The key insight: to hash a model of 11 GB would take longer than some steps, and weights that differ, by training, by
precision or by a fused adapter, differ nearly everywhere. So of each tensor some thousand values are hashed, spread
evenly. Two equal fingerprints say that the sampled values are equal, and no more. None is kept for a later call: a
script can change weights in ways that torch does not count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from ..observer.adapter_layers import Layers
from ..observer.digest_length import DIGITS

SAMPLED = 4096
"""Values of a tensor that are hashed."""
_ADAPTER = ".lora_"


def fingerprint(module: Any) -> str:
    """Return the fingerprint of a module's parameters and stored buffers, without adapters that are not fused.

    Names and the order of the layers are no part of it, and equal tensors count once: versions of a library rename
    modules and tie weights in different ways.

    Raises:
        LookupError: Offloading keeps a tensor in a place that is not known.
    """
    found = {
        hashlib.sha256(f"{tensor.dtype} {tuple(tensor.shape)} ".encode() + _sample(tensor)).digest()
        for tensor in _tensors(module)
    }
    return hashlib.sha256(b"".join(sorted(found))).hexdigest()[:DIGITS]


def fingerprint_of_adapter(layers: Layers, name: str) -> str:
    """Return the fingerprint of the tensors of an adapter, in the order of the layers.

    Args:
        layers: The layers that have it.
        name: Its name.

    Raises:
        LookupError: Offloading keeps a tensor in a place that is not known.
    """
    found = hashlib.sha256()
    for component, of_component in sorted(layers.items()):
        found.update(component.encode())
        for layer in of_component.values():
            for matrices in layer.adapter_layer_names:
                for tensor in _of_adapter(getattr(layer, matrices, {}), name):
                    found.update(f"{matrices} {tensor.dtype} {tuple(tensor.shape)} ".encode() + _sample(tensor))
    return found.hexdigest()[:DIGITS]


def _of_adapter(matrices: Any, name: str) -> Iterator[Any]:
    """Yield the tensors of an adapter in one table of a layer, which has modules or parameters by adapter."""
    if name not in matrices:
        return
    matrix = matrices[name]
    if not hasattr(matrix, "named_modules"):
        yield _kept(matrices, name, name) if matrix.is_meta else matrix
        return
    for path, each in matrix.named_modules():
        for own, tensor in each.named_parameters(recurse=False):
            yield _kept(each, own, f"{path}.{own}") if tensor.is_meta else tensor


def _tensors(module: Any) -> Iterator[Any]:
    """Yield the tensors of a module; those that offloading keeps elsewhere are taken from there."""
    for prefix, each in module.named_modules():
        computed: frozenset[str] | set[str] = getattr(each, "_non_persistent_buffers_set", frozenset())
        buffers = [item for item in each.named_buffers(recurse=False) if item[0] not in computed]
        for name, tensor in [*each.named_parameters(recurse=False), *buffers]:
            path = f"{prefix}.{name}" if prefix else name
            if _ADAPTER not in path:
                yield _kept(each, name, path) if tensor.is_meta else tensor


def _kept(module: Any, name: str, path: str) -> Any:
    """Return a tensor that accelerate has moved away, from the hook of its module."""
    hook = getattr(module, "_hf_hook", None)
    for each in (*getattr(hook, "hooks", ()), hook):
        weights: Mapping[str, Any] | None = getattr(each, "weights_map", None)
        if weights is not None:
            try:
                return weights[name]
            except KeyError:
                continue
    raise LookupError(f"the weights of {path} are not in memory")


def _sample(tensor: Any) -> bytes:
    """Return the bytes of evenly spread values of a tensor, on the CPU."""
    import torch

    flat = tensor.detach().reshape(-1)
    if len(flat) > SAMPLED:
        places = torch.arange(SAMPLED) * (len(flat) - 1) // (SAMPLED - 1)
        flat = flat[places.to(flat.device)]
    plain: bytes = flat.cpu().contiguous().view(torch.uint8).numpy().tobytes()
    return plain
