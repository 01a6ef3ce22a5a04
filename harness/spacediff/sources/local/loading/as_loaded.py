"""What the components of a pipeline were loaded as: classes, dtypes and commits, where these say more than its own."""

from __future__ import annotations

from typing import Any

from spacediff.hub.commits import kept_commit
from spacediff.scenario.paths import is_path
from spacediff.settings import Settings
from spacediff.sources.local.loading.components import declared_apart


def components_as_loaded(pipeline: Any, declared: Settings, dtype: str) -> dict[str, Any]:
    """Return the tables `components` and `vae` with what was loaded, without what is declared.

    The dtype of the VAE is always among them, the class of a component if the component is loaded separately, the
    commit if it is loaded from the Hub, and a dtype if it differs from the pipeline's.

    Args:
        pipeline: The loaded pipeline.
        declared: The Settings of the scenario.
        dtype: The dtype of the pipeline's denoiser, as in `float32`.
    """
    import torch

    apart = {each.name for each in declared_apart(declared) if each.declared is not None}
    found: dict[str, dict[str, str]] = {}
    vae: dict[str, str] = {}
    for name, component in pipeline.components.items():
        own: dict[str, str] = {}
        if name in apart and any(path.startswith(f"components.{name}.") for path in declared):
            own["class"] = type(component).__name__
            own |= _commit(name, declared)
        if isinstance(component, torch.nn.Module):
            table = vae if name == "vae" else own
            if name == "vae" or name in apart or dtype_of(component) != dtype:
                table["dtype"] = dtype_of(component)
        new = {key: value for key, value in own.items() if declared.value(f"components.{name}.{key}") != value}
        if new:
            found[name] = new
    result: dict[str, Any] = {"components": found} if found else {}
    if vae and declared.value("vae.dtype") != vae["dtype"]:
        result["vae"] = vae
    return result


def _commit(name: str, declared: Settings) -> dict[str, str]:
    """Return the commit from which a component was downloaded, or nothing."""
    repository = declared.value(f"components.{name}.id")
    if not isinstance(repository, str) or is_path(repository):
        return {}
    commit = kept_commit(repository, declared.value(f"components.{name}.revision"))
    return {"commit": commit} if commit else {}


def dtype_of(module: Any) -> str:
    """Return the dtype of a module's weights, as in `float32`."""
    return str(module.dtype).removeprefix("torch.")
