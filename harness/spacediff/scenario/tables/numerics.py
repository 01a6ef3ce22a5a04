"""How the numbers are computed."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from spacediff.observer.attention_names import EXAMPLES, KERNELS, PATTERN, PREFIX, one_spelling
from spacediff.scenario.tables.base import Table, expect, matching
from spacediff.scenario.tables.types import Word

Attention = Annotated[
    str,
    matching(
        PATTERN,
        f"a kernel of torch ({', '.join(KERNELS)}), or a backend of diffusers' attention dispatcher such as native, "
        f"_native_math, sage or {PREFIX}flash",
        examples=list(EXAMPLES),
    ),
    AfterValidator(one_spelling),
]


class CompileTable(Table):
    """Whether the denoiser is compiled, and how: arguments of `torch.compile`."""

    model_config = ConfigDict(
        json_schema_extra={
            "type": ["object", "boolean"],
            **expect("true, false, or a table with some of the keys mode, fullgraph, dynamic, backend, regional"),
        }
    )

    mode: Literal["default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs"] | None = None
    """Mode of `torch.compile`."""
    fullgraph: bool | None = None
    """Whether the model has to compile in one piece."""
    dynamic: bool | None = None
    """Whether sizes may change between calls without compiling again."""
    backend: Word | None = None
    """Backend of `torch.compile`; `inductor` by default."""
    components: Annotated[list[Word], Field(min_length=1)] | None = None
    """Names of the denoisers that are compiled; all of them by default."""
    regional: bool | None = None
    """Compile only the repeated blocks: `compile_repeated_blocks()`."""

    @model_validator(mode="wrap")
    @classmethod
    def _or_switch(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Any:
        if isinstance(given, bool) or given == {}:
            return (_Compiled if given in ({}, True) else _NotCompiled).model_construct()
        return handler(given)

    @model_serializer(mode="wrap")
    def _as_said(self, handler: SerializerFunctionWrapHandler) -> Any:
        return isinstance(self, _Compiled) if isinstance(self, _Compiled | _NotCompiled) else handler(self)


class _Compiled(CompileTable):
    """The denoiser is compiled with the defaults."""


class _NotCompiled(CompileTable):
    """The denoiser is not compiled."""


class NumericsTable(Table):
    """How the numbers are computed."""

    attention: Attention | None = None
    """Kernel of torch's attention, or backend of diffusers' dispatcher; each library's own choice by default."""
    compile: CompileTable | None = None
    """Whether the denoiser is compiled with `torch.compile`, and how."""
    tf32: bool | None = None
    """Whether matrix products and convolutions may use TF32, unless the next two say otherwise."""
    tf32_matmul: bool | None = None
    """Whether matrix products may use TF32; not by default."""
    tf32_cudnn: bool | None = None
    """Whether cuDNN's convolutions may use TF32; they may by default."""
    deterministic: bool | None = None
    """Whether torch has to use deterministic algorithms."""
    threads: Annotated[int, Field(ge=1)] | None = None
    """CPU threads of torch."""
