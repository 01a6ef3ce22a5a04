"""Load a pipeline whose weights are one file: `from_single_file` of its class.

Only safetensors files are read: the older kinds are pickles, which run code when they are opened.
"""

from __future__ import annotations

import inspect
from pathlib import Path

from spacediff.errors import CheckpointUnavailable, UnsupportedSetting
from spacediff.scenario.paths import is_path
from spacediff.sources.local.known_names import ensure_known
from spacediff.sources.local.loading.asked import Asked, Loaded

_TAKEN = ("config", "original_config", "original_config_file", "scaling_factor", "disable_mmap", "load_safety_checker")


def is_single_file(model_id: str) -> bool:
    """Whether an id is the path of a weight file."""
    return is_path(model_id) and model_id.endswith(".safetensors")


def load_single_file(asked: Asked) -> Loaded:
    """Load a pipeline from one file; `load.config` names a folder or repository with its configuration.

    Raises:
        UnsupportedSetting: The pipeline class cannot do so.
        CheckpointUnavailable: There is no such file.
    """
    _refuse_unused(asked)
    file = Path(asked.model["id"])
    if not hasattr(asked.kind, "from_single_file"):
        raise UnsupportedSetting(
            f"{asked.kind.__name__} has no from_single_file: a single file does not say what pipeline it is for",
            hint='name the class, such as model.pipeline = "StableDiffusionPipeline"',
        )
    if not file.is_file():
        raise CheckpointUnavailable(f"there is no file {file}")
    config = asked.arguments.get("config")
    folder = Path(config) if isinstance(config, str) and is_path(config) else file.parent
    pipeline = asked.kind.from_single_file(
        file.as_posix(), torch_dtype=asked.dtype, **asked.components(folder), **asked.arguments
    )
    return Loaded(pipeline, folder)


def _refuse_unused(asked: Asked) -> None:
    """Refuse arguments that `from_single_file` would drop without a word.

    Source: the arguments that it takes out of its `kwargs`, in `loaders/single_file.py` of diffusers 0.42.
    """
    known = sorted({*_TAKEN, *inspect.signature(asked.kind.__init__).parameters} - {"self"})
    for name in asked.arguments:
        ensure_known(
            name, known, f"load.{name} has no effect: from_single_file of {asked.kind.__name__} does not use it"
        )
