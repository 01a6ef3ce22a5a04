"""Load a checkpoint once, and make a pipeline for each run that shares the loaded weights."""

from __future__ import annotations

import copy
import gc
import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from spacediff.errors import (
    CheckpointUnavailable,
    NotMeasuredError,
    OutOfMemory,
    UnsupportedSetting,
    causes_of,
    failure,
    is_out_of_memory,
)
from spacediff.record import Ignored
from spacediff.scenario.paths import is_path
from spacediff.settings import Settings
from spacediff.sources.local.library_warnings import warnings_of_libraries
from spacediff.tiny.checkpoint import BUILTIN, ensure_checkpoint
from spacediff.torchvision_shim import shim_torchvision


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
        from diffusers import SchedulerMixin

        alias: dict[int, Any] = {}
        for component in self.pipeline.components.values():
            if isinstance(component, torch.nn.Module):
                for parameter in component.parameters():
                    alias[id(parameter)] = torch.nn.Parameter(parameter.detach(), parameter.requires_grad)
                for buffer in component.buffers():
                    alias[id(buffer)] = buffer.detach()
            elif not isinstance(component, SchedulerMixin):
                alias[id(component)] = component  # a tokenizer has no state per run, and copying one is slow
        return copy.deepcopy(self.pipeline, alias)


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
        identity = _model_identity(settings)
        if asked and self._loaded is not None and self._identity == identity:
            # with the loaded components, from_pretrained checks its arguments without reading the weights
            ignored = _ignored_arguments(self._loaded, asked)
            if set(ignored) == set(asked):
                return self._loaded, _as_records(asked, ignored, self._loaded)
        used_identity = identity if not asked else f"{identity} {sorted(asked.items())}"
        if self._loaded is None or self._identity != used_identity:
            self._loaded = None
            gc.collect()  # free the memory first
            self._loaded = self._load_once(used_identity, settings, asked)
            effective = {name: value for name, value in asked.items() if name not in self._loaded.ignored}
            self._identity = identity if not effective else used_identity
        return self._loaded, _as_records(asked, self._loaded.ignored, self._loaded)

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


def stamp(model_id: str) -> str:
    """Return a fingerprint of a local checkpoint's files; empty for one from the Hub, whose revision is a setting."""
    if model_id in BUILTIN:
        return BUILTIN[model_id].stamp
    folder = Path(model_id)
    if not folder.is_dir():
        return ""
    files = sorted((path.relative_to(folder).as_posix(), path.stat()) for path in folder.rglob("*") if path.is_file())
    listed = [(name, status.st_size, status.st_mtime_ns) for name, status in files]
    return hashlib.sha256(repr(listed).encode()).hexdigest()


def _model_identity(settings: Settings) -> str:
    return repr(sorted(settings.table("model").items()))


def _load(settings: Settings, arguments: dict[str, Any]) -> Checkpoint:
    shim_torchvision()
    import torch
    from diffusers import DiffusionPipeline
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    model = settings.table("model")
    dtype = getattr(torch, model["dtype"]) if "dtype" in model else None
    choice: dict[str, str] = {key: model[key] for key in ("revision", "variant") if key in model}
    pipeline_class = _pipeline_class(model.get("pipeline"), DiffusionPipeline)
    with warnings_of_libraries() as messages, warnings.catch_warnings():
        try:
            folder, commit = _files_of(model["id"], choice, pipeline_class)
            # every version accepts torch_dtype; newer ones deprecate it in favour of dtype
            warnings.filterwarnings("ignore", "`torch_dtype` is deprecated", FutureWarning)
            pipeline = pipeline_class.from_pretrained(
                folder,
                torch_dtype=dtype,
                **({"variant": choice["variant"]} if "variant" in choice else {}),
                **arguments,
            )
        except NotMeasuredError:
            raise
        except Exception as error:
            said = f"the checkpoint {model['id']} could not be loaded: {_root_cause(error)}"
            if is_out_of_memory(error):
                raise OutOfMemory(said, host=not isinstance(error, torch.OutOfMemoryError)) from error
            raise CheckpointUnavailable(said) from error
    return Checkpoint(pipeline, folder, commit, _ignored_names(messages, arguments), _other_warnings(messages))


def _root_cause(error: Exception) -> str:
    """Describe the first cause of an error: of a damaged file, transformers says only the name.

    A variable of `_load` for the cause would be part of its traceback, and so keep what was loaded in memory.
    """
    *_, root = causes_of(error)
    return failure(root if isinstance(root, Exception) else error)


def _pipeline_class(name: str | None, default: Any) -> Any:
    import diffusers

    if name is None:
        return default
    found = getattr(diffusers, name, None)
    if not (isinstance(found, type) and issubclass(found, diffusers.DiffusionPipeline)):
        raise UnsupportedSetting(f"diffusers {diffusers.__version__} has no pipeline class {name!r}")
    return found


def _files_of(model_id: str, choice: dict[str, str], pipeline_class: Any) -> tuple[Path, str | None]:
    """Return the folder of a checkpoint and, if it is from the Hub, its commit; missing files are downloaded."""
    if model_id in BUILTIN:
        return ensure_checkpoint(BUILTIN[model_id]), None
    folder = Path(model_id)
    if folder.is_dir():
        return folder, None
    if is_path(model_id):
        raise CheckpointUnavailable(
            f"there is no folder {model_id}", hint="give a checkpoint's folder or Hub id as model.id"
        )
    try:
        snapshot = Path(pipeline_class.download(model_id, **choice))
    except Exception as error:
        raise CheckpointUnavailable(
            f"the checkpoint {model_id} is not on this machine, and the download from the Hub failed: {failure(error)}",
            hint="check the id, the network and, for gated models, HF_TOKEN; or give a folder as model.id",
        ) from error
    return snapshot, snapshot.name


def _ignored_arguments(checkpoint: Checkpoint, arguments: dict[str, Any]) -> tuple[str, ...]:
    with warnings_of_libraries() as messages:
        try:
            type(checkpoint.pipeline).from_pretrained(
                checkpoint.folder, **dict(checkpoint.pipeline.components), **arguments
            )
        except Exception:  # noqa: BLE001 - then the arguments have an effect, and a real load shows which
            return ()
    return _ignored_names(messages, arguments)


def _ignored_names(messages: list[str], arguments: dict[str, Any]) -> tuple[str, ...]:
    warned = [message for message in messages if "will be ignored" in message]
    return tuple(name for name in arguments if any(repr(name) in message for message in warned))


def _as_records(asked: dict[str, Any], ignored: tuple[str, ...], checkpoint: Checkpoint) -> tuple[Ignored, ...]:
    import inspect

    pipeline = type(checkpoint.pipeline)
    in_call = inspect.signature(pipeline.__call__).parameters
    return tuple(
        Ignored(
            argument=f"load.{name}",
            value=asked[name],
            given_to=f"{pipeline.__name__}.from_pretrained",
            advice=f"{name} is an argument of the call: set call.{name}" if name in in_call else "",
        )
        for name in ignored
        if name in asked
    )


def _other_warnings(messages: list[str]) -> tuple[str, ...]:
    return tuple(message for message in messages if "will be ignored" not in message)
