"""Compile the denoisers of a pipeline as a script does, or undo it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..observer.structure import denoisers_of, pipelines_of
from .refusing import RefusedError

_COMPUTING = ("forward", "encode", "decode")
"""Methods of parts that scripts compile by themselves, as in `vae.decode = torch.compile(vae.decode)`."""
_ORIGINAL = "_torchdynamo_orig_callable"
"""What a compiled function is made of (`torch._dynamo.eval_frame`)."""


def is_compiled(part: Any) -> bool:
    """Whether a component is compiled, or a block of it."""
    if hasattr(part, "_orig_mod"):
        return True
    modules = part.modules() if hasattr(part, "named_modules") else (part,)
    return any(
        getattr(each, "_compiled_call_impl", None) is not None
        or any(_is_compiled_function(getattr(each, name, None)) for name in _COMPUTING)
        for each in modules
    )


def compiled_besides(pipeline: Any, parts: Mapping[str, Any]) -> list[str]:
    """Return the names of those parts that are compiled and are no denoisers.

    Args:
        pipeline: The pipeline.
        parts: Its parts by name.
    """
    denoisers = [part for _, part in denoisers_of(pipeline)]
    return [name for name, part in parts.items() if is_compiled(part) and not any(part is each for each in denoisers)]


def compile_denoisers(pipeline: Any, wanted: bool | Mapping[str, Any]) -> None:  # noqa: FBT001 - a value of a scenario
    """Compile denoisers with `torch.compile`, or run those as they are that the script has compiled.

    Args:
        pipeline: The pipeline.
        wanted: `numerics.compile` of a scenario: whether, or the arguments of `torch.compile`, `regional` and
            `components`.

    Raises:
        RefusedError: torch or a component refuses the arguments.
    """
    for _, part in denoisers_of(pipeline):
        _undo(pipeline, part)
    options = dict(wanted) if isinstance(wanted, Mapping) else {}
    names = options.pop("components", None)
    regional = options.pop("regional", False)
    for name, part in denoisers_of(pipeline) if wanted or isinstance(wanted, Mapping) else ():
        if names is None or name in names:
            try:
                compile_part(pipeline, part, options, regional=regional)
            except Exception as error:
                raise RefusedError("numerics.compile", f"{name} cannot be compiled: {error}") from error


def compile_part(pipeline: Any, part: Any, options: Mapping[str, Any], *, regional: bool) -> None:
    """Compile a component of a pipeline, and of its inner pipelines, which call it too.

    Args:
        pipeline: The pipeline.
        part: The component.
        options: Arguments of `torch.compile`.
        regional: Whether only the repeated blocks are compiled.
    """
    import torch

    if regional:
        part.compile_repeated_blocks(**options)
    else:
        _replace(pipeline, part, torch.compile(part, **options))


def _is_compiled_function(function: Any) -> bool:
    """Whether a function is one that `torch.compile` has returned; what torch is not to compile is marked as well."""
    marks = getattr(function, "__dict__", {})
    return _ORIGINAL in marks and not marks.get("_torchdynamo_disable")


def _undo(pipeline: Any, part: Any) -> None:
    plain = getattr(part, "_orig_mod", part)
    for each in plain.modules():
        if getattr(each, "_compiled_call_impl", None) is not None:
            each._compiled_call_impl = None  # noqa: SLF001 - `Module.compile` sets it, and nothing unsets it
        for name in _COMPUTING:
            # over a compiled `forward`, accelerate's hook has its marks
            if _is_compiled_function(own := vars(each).get(name)) and not hasattr(each, "_old_forward"):
                setattr(each, name, getattr(own, _ORIGINAL))
    if plain is not part:
        _replace(pipeline, part, plain)


def _replace(pipeline: Any, part: Any, other: Any) -> None:
    for each in pipelines_of(pipeline):
        for name in [name for name, there in vars(each).items() if there is part]:
            setattr(each, name, other)
