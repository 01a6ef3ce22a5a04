"""Load a checkpoint once for all runs that share it."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from spacediff.collecting import without_collecting
from spacediff.errors import NotMeasuredError, OutOfMemory, UnsupportedSetting, did_you_mean
from spacediff.record import Ignored
from spacediff.recordings.unknown_entries import unknown_entries
from spacediff.settings import Settings
from spacediff.sources.local.library_warnings import warnings_of_libraries
from spacediff.sources.local.loading.arguments import as_records, ignored_arguments, ignored_names
from spacediff.sources.local.loading.asked import Asked, Loaded
from spacediff.sources.local.loading.checkpoint import Checkpoint
from spacediff.sources.local.loading.classes import pipeline_class
from spacediff.sources.local.loading.components import Apart, declared_apart
from spacediff.sources.local.loading.failing import naming
from spacediff.sources.local.loading.modular import is_modular, load_modular
from spacediff.sources.local.loading.quantisation import refuse_missing_backend
from spacediff.sources.local.loading.single_file import is_single_file, load_single_file
from spacediff.sources.local.loading.whole import load_whole
from spacediff.stages import of_loading
from spacediff.torchvision_shim import shim_torchvision


class Checkpoints:
    """Keeps the last loaded checkpoint, so that consecutive runs of one model and dtype load it once."""

    def __init__(self) -> None:
        self._identity: str | None = None
        self._loaded: Checkpoint | None = None
        self._failed: dict[str, Callable[[], NotMeasuredError]] = {}

    def load(self, settings: Settings) -> tuple[Checkpoint, tuple[Ignored, ...]]:
        """Return the checkpoint for these Settings and the `load` arguments that were ignored.

        Raises:
            NotMeasuredError: The checkpoint is unavailable, or cannot be loaded here.
        """
        asked = settings.table("load")
        identity = repr(
            Settings({path: each for path, each in of_loading(settings).items() if not path.startswith("load.")})
        )
        if asked and self._loaded is not None and self._identity == identity:
            # with the loaded components, from_pretrained checks its arguments without reading the weights
            ignored = ignored_arguments(self._loaded, asked)
            if set(ignored) == set(asked):
                return self._loaded, as_records(asked, ignored, self._loaded)
        used_identity = identity if not asked else f"{identity} {sorted(asked.items())}"
        if self._loaded is None or self._identity != used_identity:
            if self._loaded or self._failed:
                self._loaded = None
                gc.collect()  # free the memory first
            self._loaded = self._load_once(used_identity, settings, asked)
            effective = {name: value for name, value in asked.items() if name not in self._loaded.ignored}
            self._identity = identity if not effective else used_identity
        return self._loaded, as_records(asked, self._loaded.ignored, self._loaded)

    def _load_once(self, identity: str, settings: Settings, arguments: dict[str, Any]) -> Checkpoint:
        """Load a checkpoint; after a failure, raise the same error again, since each attempt may take minutes."""
        if identity in self._failed:
            again = self._failed[identity]
            raise again() from None
        try:
            return _load(settings, arguments)
        except NotMeasuredError as error:  # its traceback holds what was loaded, so only its words are kept
            where = {"host": error.host} if isinstance(error, OutOfMemory) else {}
            self._failed[identity] = partial(type(error), error.message, hint=error.hint, **where)
            raise


def _load(settings: Settings, arguments: dict[str, Any]) -> Checkpoint:
    model = settings.table("model")
    with without_collecting():
        shim_torchvision()
        import torch
        from diffusers.utils import logging as diffusers_logging
        from transformers.utils import logging as transformers_logging

        kind = pipeline_class(model.get("pipeline"))
    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    dtype = getattr(torch, model["dtype"]) if "dtype" in model else None
    asked = Asked(kind, settings, arguments, declared_apart(settings), dtype)
    for each in asked.apart:
        refuse_missing_backend(each.name, each.declared or {})
    with warnings_of_libraries() as messages, warnings.catch_warnings():
        # every version accepts torch_dtype; newer ones deprecate it in favour of dtype
        warnings.filterwarnings("ignore", "`torch_dtype` is deprecated", FutureWarning)
        with naming(f"the checkpoint {model['id']}"):
            found = _loader(asked)(asked)
            _refuse_unknown_components(asked.apart, found.pipeline)
    ignored = ignored_names(messages, arguments)
    return Checkpoint(found.pipeline, found.folder, found.commit, ignored, _other_warnings(messages))


def _loader(asked: Asked) -> Callable[[Asked], Loaded]:
    if is_modular(asked.kind):
        return load_modular
    return load_single_file if is_single_file(asked.model["id"]) else load_whole


def _refuse_unknown_components(apart: Sequence[Apart], pipeline: Any) -> None:
    """Refuse components that the pipeline does not have: from_pretrained ignores them."""
    for each in apart:
        if each.name not in pipeline.components:
            raise UnsupportedSetting(
                f"{type(pipeline).__name__} has no component {each.name!r}"
                f"{did_you_mean(each.name, pipeline.components)}"
            )


def _other_warnings(messages: list[str]) -> tuple[str, ...]:
    others = (message for message in messages if "will be ignored" not in message)
    return (*others, *unknown_entries(messages))
