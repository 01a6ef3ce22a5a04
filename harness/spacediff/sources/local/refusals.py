"""Explain what torch refuses while a pipeline runs: by setting, by module of the pipeline, and with torch's reason.

The key insight: the traceback of torch's error has the module in whose `forward` it was raised, and torch warns of the
reason before it raises the error. So nothing has to be hooked, and a run that is not refused costs nothing.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from spacediff.errors import UnsupportedSetting
from spacediff.settings import Settings

if TYPE_CHECKING:
    import torch

_NO_KERNEL = re.compile(r"No available kernel|No viable backend for scaled_dot_product_attention")
_REASONS_OF = {"flash": "flash attention", "efficient": "memory efficient", "cudnn": "cudnn attention", "math": "math"}
"""How torch begins the list of reasons for not using a kernel (`sdp_utils.cpp` in ATen/native/transformers)."""
_NOT_DETERMINISTIC = re.compile(r"(\S.*) does not have a deterministic implementation")
_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


@contextmanager
def explained_refusals(pipeline: Any, settings: Settings) -> Iterator[None]:
    """Turn torch's refusal of declared numerics into an error that names the module and the reason.

    Args:
        pipeline: The pipeline that is called inside the block.
        settings: The declared Settings.

    Raises:
        UnsupportedSetting: A module cannot use the declared attention kernel, or an operation is not deterministic.
    """
    kernel = settings.value("numerics.attention")
    if kernel is None and not settings.value("numerics.deterministic"):
        yield
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except RuntimeError as error:
            found = _refusal(error, kernel, [str(each.message) for each in caught], _module_of(pipeline, error))
            if found is None:
                raise
            caught.clear()
            raise found from error
    for each in caught:
        warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


def _refusal(error: RuntimeError, kernel: str | None, warned: Sequence[str], module: str) -> UnsupportedSetting | None:
    """Return the error to raise in place of torch's; None if torch refused nothing that was declared."""
    message = str(error)
    if kernel is not None and _NO_KERNEL.search(message):
        reason = _reason(kernel, warned) or "torch has no such kernel for these tensors on this device"
        return UnsupportedSetting(
            f"numerics.attention = {kernel!r} cannot be used by {module}: {reason}",
            hint="declare a kernel that every module can use, such as 'math', or leave the choice to torch",
        )
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


def _reason(kernel: str, warned: Sequence[str]) -> str:
    """Return torch's reason for not using a kernel; torch lists the reasons of each kernel after a heading."""
    found: list[str] = []
    listed = False
    for text in warned:
        line = text.partition(" (Triggered internally")[0].strip()
        if line.endswith("not used because:"):
            listed = line.lower().startswith(_REASONS_OF[kernel])
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
