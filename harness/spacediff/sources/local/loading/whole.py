"""Load a checkpoint in diffusers' layout: `from_pretrained` of a pipeline class."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from spacediff.collecting import without_collecting
from spacediff.errors import UnsupportedSetting
from spacediff.sources.local.loading.arguments import refuse_components_as_arguments
from spacediff.sources.local.loading.asked import Asked, Loaded
from spacediff.sources.local.loading.files import fetch_config, files_of
from spacediff.sources.local.loading.index import index_of

_LIBRARIES = ("diffusers", "transformers")
"""What may be imported by names in a checkpoint's index."""


def load_whole(asked: Asked) -> Loaded:
    """Load a pipeline from a folder or from the Hub."""
    elsewhere = [each for each in asked.apart if each.is_elsewhere]
    folder, commit = files_of(
        asked.model["id"], asked.choice("revision", "variant"), asked.kind, [each.name for each in elsewhere]
    )
    for each in asked.apart:
        if commit and each.declared and "file" in each.declared and "config" not in each.declared:
            fetch_config(asked.model["id"], each.name, commit)
    refuse_components_as_arguments(folder, asked.arguments)
    parts = asked.components(folder)
    _import_classes(folder)
    kind = _own_class(folder, asked.kind) if parts and "pipeline" not in asked.model else asked.kind
    pipeline = kind.from_pretrained(
        folder, torch_dtype=asked.dtype, **asked.choice("variant"), **parts, **asked.arguments
    )
    _refuse_ignored(parts, pipeline, kind)
    return Loaded(pipeline, folder, commit)


def _import_classes(folder: Path) -> None:
    """Import the classes of diffusers and transformers that a checkpoint names, as `from_pretrained` does.

    There the collector of garbage would take a fifth of the time.
    """
    with without_collecting(), suppress(Exception):  # from_pretrained meets it again, and reports it
        for component in index_of(folder).values():
            match component:
                case [str(library), str(name)] if library in _LIBRARIES:
                    getattr(import_module(library), name, None)


def _own_class(folder: Path, generic: Any) -> Any:
    """Return the class that a checkpoint names: the generic one drops components that are optional in it.

    `DiffusionPipeline._get_signature_keys` asks its own list of optional components, which is empty.
    """
    import diffusers

    named = index_of(folder).get("_class_name")
    found = getattr(diffusers, named, None) if isinstance(named, str) else None
    return found if isinstance(found, type) and issubclass(found, diffusers.DiffusionPipeline) else generic


def _refuse_ignored(parts: Mapping[str, Any], pipeline: Any, kind: Any) -> None:
    """Refuse components that were given to a pipeline and that it does not have now."""
    for name, part in parts.items():
        if name in pipeline.components and getattr(pipeline, name) is not part:
            raise UnsupportedSetting(
                f"{kind.__name__} ignores the component {name} that is given to it",
                hint=f'name the pipeline class: model.pipeline = "{type(pipeline).__name__}"',
            )
