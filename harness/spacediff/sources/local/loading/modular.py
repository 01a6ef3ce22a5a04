"""Load a modular pipeline: its blocks first, then its components.

diffusers logs a component that fails to load and goes on, so that the call fails later; here it is an error at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spacediff.errors import CheckpointUnavailable, failure
from spacediff.scenario.paths import is_path
from spacediff.sources.local.loading.asked import Asked, Loaded


def is_modular(kind: Any) -> bool:
    """Whether a class of diffusers, or one of its objects, is a modular pipeline."""
    import diffusers

    modular = getattr(diffusers, "ModularPipeline", None)
    if modular is None:
        return False
    return issubclass(kind, modular) if isinstance(kind, type) else isinstance(kind, modular)


def load_modular(asked: Asked) -> Loaded:
    """Load a modular pipeline from a folder or from the Hub, with all components that its index names.

    Raises:
        CheckpointUnavailable: The folder is missing, the download failed, or a component could not be loaded.
    """
    folder, commit = _folder(asked)
    pipeline = asked.kind.from_pretrained(str(folder))
    apart = asked.components(folder)
    if given := {name: component for name, component in apart.items() if component is not None}:
        pipeline.update_components(**given)
    left_out = {name for name, component in apart.items() if component is None}
    names = [name for name in _to_load(pipeline) if name not in left_out]
    dtype = {} if asked.dtype is None else {"torch_dtype": asked.dtype}
    pipeline.load_components(names=names, **dtype, **asked.choice("variant"), **asked.arguments)
    missing = [name for name in names if getattr(pipeline, name, None) is None]
    if missing:
        raise CheckpointUnavailable(
            f"components of {asked.model['id']} could not be loaded: {', '.join(missing)}",
            hint="the warnings of diffusers above say why",
        )
    return Loaded(pipeline, folder, commit)


def _to_load(pipeline: Any) -> list[str]:
    """Return the components that the index places somewhere and that are not there yet."""
    return [
        name
        for name in pipeline.pretrained_component_names
        if getattr(pipeline, name, None) is None and pipeline.get_component_spec(name).pretrained_model_name_or_path
    ]


def _folder(asked: Asked) -> tuple[Path, str | None]:
    """Return the folder of a modular checkpoint; from the Hub only its configuration, as the index names the rest."""
    model_id = asked.model["id"]
    folder = Path(model_id)
    if folder.is_dir():
        return folder, None
    if is_path(model_id):
        raise CheckpointUnavailable(f"there is no folder {model_id}")
    from huggingface_hub import snapshot_download

    try:
        found = Path(snapshot_download(model_id, revision=asked.model.get("revision"), allow_patterns="*.json"))
    except Exception as error:
        raise CheckpointUnavailable(
            f"the checkpoint {model_id} is not on this machine, and the download from the Hub failed: {failure(error)}"
        ) from error
    return found, found.name
