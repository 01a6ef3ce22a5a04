"""A loaded checkpoint, and the pipelines made of it that share its weights."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint. Its own pipeline is never run or changed.

    Attributes:
        pipeline: The pipeline as `from_pretrained` returned it, on the CPU.
        folder: The folder with its files.
        commit: The Hub commit of the files, or None for a folder.
        ignored: Names of arguments that `from_pretrained` accepted without using them.
        warnings: What the libraries logged while loading.
    """

    pipeline: Any
    folder: Path
    commit: str | None
    ignored: tuple[str, ...]
    warnings: tuple[str, ...]

    def fresh_pipeline(self) -> Any:
        """Return a pipeline as if it was just loaded: new modules and configs that share the loaded weights."""
        import torch
        from diffusers import ConfigMixin

        alias: dict[int, Any] = {}
        for component in self.pipeline.components.values():
            if isinstance(component, torch.nn.Module):
                for parameter in component.parameters():
                    alias[id(parameter)] = _sharing(parameter)
                for buffer in component.buffers():
                    alias[id(buffer)] = buffer.detach()
            elif not isinstance(component, ConfigMixin):  # schedulers and guiders have state per run
                alias[id(component)] = component  # a tokenizer has none, and copying one is slow
        return copy.deepcopy(self.pipeline, alias)


def _sharing(parameter: Any) -> Any:
    """Return a parameter with the same storage; one of a quantised kind that cannot be built again is shared itself."""
    import torch

    if type(parameter) is torch.nn.Parameter:
        return torch.nn.Parameter(parameter.detach(), parameter.requires_grad)
    detached = parameter.detach()
    return detached if type(detached) is type(parameter) else parameter
