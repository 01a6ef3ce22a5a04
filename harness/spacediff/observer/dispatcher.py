"""diffusers' attention dispatcher: which backends it knows, and which models ask it."""

from __future__ import annotations

import sys
from typing import Any

_MODULE = "diffusers.models.attention_dispatch"


def registry() -> Any:
    """Return diffusers' table of backends; None in versions that have no dispatcher."""
    try:
        from diffusers.models.attention_dispatch import _AttentionBackendRegistry
    except ImportError:
        return None
    return _AttentionBackendRegistry


def backends_known() -> list[str]:
    """Return the names of the backends that the installed diffusers knows; none without a dispatcher."""
    if registry() is None:
        return []
    names: Any = sys.modules[_MODULE].AttentionBackendName
    return [str(each.value) for each in names]


def models_of(pipeline: Any) -> list[Any]:
    """Return the components of a pipeline that have weights."""
    import torch

    return [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]


def asks_the_dispatcher(model: Any) -> bool:
    """Whether an attention processor of a model takes a backend; older ones call torch themselves."""
    if not hasattr(model, "set_attention_backend"):
        return False
    processors = (getattr(module, "processor", None) for module in model.modules())
    return any(
        hasattr(processor, "_attention_backend") or "dispatch_attention_fn" in _names_called(processor)
        for processor in processors
    )


def _names_called(processor: Any) -> tuple[str, ...]:
    call = vars(type(processor)).get("__call__")
    names: tuple[str, ...] = getattr(getattr(call, "__code__", None), "co_names", ())
    return names
