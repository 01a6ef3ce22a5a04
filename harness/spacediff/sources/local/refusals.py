"""Explain what torch refuses while a pipeline runs: by setting, by module of the pipeline, and with torch's reason.

The key insight: the traceback of torch's error has the module in whose `forward` it was raised, and torch warns of the
reason before it raises the error. So nothing has to be hooked, and a run that is not refused costs nothing.
"""

from __future__ import annotations

import re
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from spacediff.errors import UnsupportedSetting, failure, is_out_of_memory
from spacediff.observer.attention_names import backend_of
from spacediff.settings import Settings

if TYPE_CHECKING:
    import torch

_NO_KERNEL = re.compile(r"No available kernel|No viable backend for scaled_dot_product_attention")
_REASONS_OF = {"flash": "flash attention", "efficient": "memory efficient", "cudnn": "cudnn attention", "math": "math"}
"""How torch begins the list of reasons for not using a kernel (`sdp_utils.cpp` in ATen/native/transformers)."""
_NATIVE = "_native_"
"""Beginning of the names of the dispatcher's backends that call one kernel of torch."""
_DISPATCHER = "attention_dispatch.py"
_COMPILERS = ("torch._dynamo", "torch._inductor")
"""Beginnings of the modules that define the errors of `torch.compile`."""
_HOOKS = ("diffusers", "hooks")
"""The package whose code raises what a cache refuses."""
_EXPLAINED = ("numerics", "cache")
"""Tables whose refusal while a pipeline runs is explained."""
_NOT_DETERMINISTIC = re.compile(r"(\S.*) does not have a deterministic implementation")
_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"
_PIPELINES = ("/diffusers/pipelines/", "/diffusers/modular_pipelines/")
"""Folders with the code of pipelines."""


@contextmanager
def explained_refusals(pipeline: Any, settings: Settings) -> Iterator[None]:
    """Turn torch's refusal of declared numerics into an error that names the module and the reason.

    Args:
        pipeline: The pipeline that is called inside the block.
        settings: The declared Settings.

    Raises:
        UnsupportedSetting: A module cannot use the declared attention or cache, or an operation is not deterministic.
    """
    if not any(settings.table(name) for name in _EXPLAINED):
        yield
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except Exception as error:
            found = _refusal(error, settings, [str(each.message) for each in caught], _module_of(pipeline, error))
            if found is None:
                raise
            caught.clear()
            raise found from error
    for each in caught:
        warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


def place_of(error: Exception) -> str:
    """Say where in a pipeline of diffusers an error was raised: ` (in encode_prompt, pipeline_mochi.py line 241)`.

    Returns:
        The text to put behind the error's own, which often says nothing of it; empty if no pipeline was called.
    """
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.name.startswith("<")]
    inside = [frame for frame in frames if any(folder in Path(frame.filename).as_posix() for folder in _PIPELINES)]
    if not inside:
        return ""
    return f" (in {inside[-1].name}, {Path(inside[-1].filename).name} line {inside[-1].lineno})"


def _refusal(error: Exception, settings: Settings, warned: Sequence[str], module: str) -> UnsupportedSetting | None:
    """Return the error to raise in place of the library's; None if nothing was refused that was declared."""
    attention, cache = settings.value("numerics.attention"), settings.value("cache.class")
    if is_out_of_memory(error):
        return None
    if attention is not None and isinstance(error, RuntimeError) and _NO_KERNEL.search(str(error)):
        reason = _reason(attention, warned) or "torch has no such kernel for these tensors on this device"
        return _unusable(attention, module, reason)
    files = [Path(frame.filename).parts for frame in traceback.extract_tb(error.__traceback__)]
    if attention is not None and backend_of(attention) and any(file[-1] == _DISPATCHER for file in files):
        return _unusable(attention, module, failure(error))
    if cache is not None and files and files[-1][-3:-1] == _HOOKS:
        return UnsupportedSetting(f"cache.class = {cache!r} cannot be used by {module}: {failure(error)}")
    if type(error).__module__.startswith(_COMPILERS) and settings.table("numerics").get("compile"):
        return UnsupportedSetting(f"numerics.compile cannot be used by {module}: {failure(error)}")
    return _not_deterministic(error, module) if isinstance(error, RuntimeError) else None


def _not_deterministic(error: RuntimeError, module: str) -> UnsupportedSetting | None:
    message = str(error)
    if _CUBLAS in message:
        return UnsupportedSetting(
            f"numerics.deterministic needs {_CUBLAS}=:4096:8 in the environment before CUDA starts",
            hint=f"set it for the whole command: {_CUBLAS}=:4096:8 spacediff audit …",
        )
    if operation := _NOT_DETERMINISTIC.match(message):
        return UnsupportedSetting(
            f"numerics.deterministic cannot be used by {module}: {operation[1]} has no deterministic implementation"
        )
    return None


def _unusable(attention: str, module: str, reason: str) -> UnsupportedSetting:
    return UnsupportedSetting(
        f"numerics.attention = {attention!r} cannot be used by {module}: {reason}",
        hint="declare a kernel that every module can use, such as 'math', or leave the choice to torch",
    )


def _reason(attention: str, warned: Sequence[str]) -> str:
    """Return torch's reason for not using a kernel; torch lists the reasons of each kernel after a heading."""
    kernel = attention.removeprefix(_NATIVE)
    found: list[str] = []
    listed = False
    for text in warned:
        line = text.partition(" (Triggered internally")[0].strip()
        if line.endswith("not used because:"):
            listed = kernel in _REASONS_OF and line.lower().startswith(_REASONS_OF[kernel])
        elif listed and line not in found:
            found.append(line)
    return " ".join(found).rstrip(".")


def _module_of(pipeline: Any, error: BaseException) -> str:
    """Name the module of a pipeline whose `forward` raised an error, as `text_encoder.block.0 (T5Attention)`."""
    import torch

    module: torch.nn.Module | None = None
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        owner = trace.tb_frame.f_locals.get("self")
        module = owner if isinstance(owner, torch.nn.Module) else module
        trace = trace.tb_next
    if module is None:
        return "the pipeline"
    for name, component in pipeline.components.items():
        for path, part in component.named_modules(prefix=name) if isinstance(component, torch.nn.Module) else ():
            if part is module:
                return f"{path} ({type(module).__name__})"
    return type(module).__name__
