"""What a script has switched on inside the denoisers: a cache, FreeU, IP-Adapters."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..observer.structure import denoisers_of
from .values import plain

_FREEU = ("s1", "s2", "b1", "b2")


def cache_of(pipeline: Any) -> dict[str, Any]:
    """Return `class` and the options of the cache that `enable_cache` has enabled, as a scenario has them.

    Source: `CacheMixin` of diffusers 0.33 to 0.42. Options that are functions are left out.
    """
    for _, denoiser in denoisers_of(pipeline):
        config = getattr(denoiser, "_cache_config", None)
        if config is not None:
            names = [each.name for each in dataclasses.fields(config)] if dataclasses.is_dataclass(config) else []
            options = {name: getattr(config, name) for name in names if not name.startswith("_")}
            kept = {name: plain(value) for name, value in options.items() if not callable(value)}
            return {"class": type(config).__name__, **kept}
    return {}


def freeu_of(pipeline: Any) -> dict[str, Any]:
    """Return the factors of FreeU, which `enable_freeu` gives to each block of a UNet's second half."""
    for _, denoiser in denoisers_of(pipeline):
        for block in getattr(denoiser, "up_blocks", None) or ():
            found = {name: plain(value) for name in _FREEU if (value := getattr(block, name, None)) is not None}
            if found:
                return found
    return {}


def ip_adapter_of(pipeline: Any) -> dict[str, Any]:
    """Return `scale`: the scales of the IP-Adapters, or those of each kind of block where they differ."""
    found: list[Any] = []
    for _, denoiser in denoisers_of(pipeline):
        for processor in (getattr(denoiser, "attn_processors", None) or {}).values():
            scale = plain(getattr(processor, "scale", None)) if "IPAdapter" in type(processor).__name__ else None
            if scale is not None and scale not in found:
                found.append(scale)
    if not found:
        return {}
    return {"scale": found[0] if len(found) == 1 else found}
