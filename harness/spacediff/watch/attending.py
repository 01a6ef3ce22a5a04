"""Choose how attention is computed: by a kernel of torch, or a backend of diffusers' dispatcher."""

from __future__ import annotations

from typing import Any

from ..observer.attention_names import backend_of
from ..observer.dispatcher import asks_the_dispatcher, models_of
from ..observer.switches import KERNELS
from .refusing import RefusedError


def attend_by(pipeline: Any, attention: str) -> None:
    """Allow one kernel of torch alone, or give the models of a pipeline a backend, as a script does.

    Args:
        pipeline: The pipeline.
        attention: A kernel or a backend, as `numerics.attention` names it.

    Raises:
        RefusedError: The backend cannot be used here, such as one whose package is missing.
    """
    import torch

    backend = backend_of(attention)
    if backend is None:
        for name, its in KERNELS.items():
            allow: Any = getattr(torch.backends.cuda, f"enable_{its}_sdp", None)
            if allow is not None:
                allow(name == attention)
        return
    try:
        for model in models_of(pipeline):
            if asks_the_dispatcher(model):
                model.set_attention_backend(backend)
    except Exception as error:
        raise RefusedError("numerics.attention", f"diffusers cannot use {backend} here: {error}") from error
