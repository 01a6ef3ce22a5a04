"""The components of a pipeline that are loaded separately from it, or not at all."""

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

from spacediff.scenario.paths import PATH
from spacediff.scenario.tables.base import Table, expect, matching, written_as
from spacediff.scenario.tables.types import CLASS, ComponentId, Subfolder, Word, path_or_name

NONE = "none"
"""In place of a component's table: the pipeline is loaded without it; of its quantisation: it is not quantised."""
OWN = "own"
"""In place of a component's table, in a variant: the pipeline's own component, whatever the baseline says."""


WeightFile = Annotated[
    str,
    matching(
        rf"^({PATH}|[^\s:.~/\\][^\s:\\]*)\.(safetensors|gguf)$",
        "a .safetensors or .gguf file: its path, which begins with ., /, ~ or a drive, or its name in the repository "
        "of id; files of other kinds can run code when they are loaded",
    ),
    AfterValidator(path_or_name),
]


class QuantisationTable(Table):
    """How the weights of a component are quantised when they are loaded; keys other than `backend` are its options."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "type": ["object", "string"],
            "pattern": f"^{NONE}$",
            **expect(f'"{NONE}", or a table with backend and its options'),
            **written_as("backend"),
        },
    )

    backend: Annotated[str, matching("^[a-z0-9_-]+$", 'a backend of diffusers such as "bitsandbytes_4bit"')]
    """Backend of diffusers or transformers."""

    @model_validator(mode="wrap")
    @classmethod
    def _or_none(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Any:
        return _NotQuantised.model_construct(backend="") if given == NONE else handler(given)

    @model_serializer(mode="wrap")
    def _as_said(self, handler: SerializerFunctionWrapHandler) -> Any:
        return NONE if isinstance(self, _NotQuantised) else handler(self)


class _NotQuantised(QuantisationTable):
    """A component that is not quantised, whatever the baseline says."""


ComponentPrecision = Literal["float32", "bfloat16", "float16", "default"]


ComponentClass = Annotated[str, matching(CLASS, 'a class of diffusers or transformers such as "AutoencoderKLWan"')]


class ComponentTable(Table):
    """A component that is loaded separately; what is left out is as for the pipeline."""

    model_config = ConfigDict(
        json_schema_extra={
            "type": ["object", "string"],
            "pattern": f"^({NONE}|{OWN})$",
            "minProperties": 1,
            **expect(f'"{NONE}", "{OWN}", or a table with some of the keys id, subfolder, class, dtype, file'),
            **written_as("id"),
        }
    )

    id: ComponentId | None = None
    """Hub id or folder; the pipeline's own by default."""
    subfolder: Subfolder | None = None
    """Folder inside; by default the component's name if `id` is left out."""
    revision: Word | None = None
    """Branch, tag or commit on the Hub."""
    variant: Word | None = None
    """Variant of the weight files, such as `fp16`."""
    class_: ComponentClass | None = Field(None, alias="class")
    """Class in diffusers or transformers; by default the one that the checkpoint names."""
    dtype: ComponentPrecision | None = None
    """Precision of the weights; the pipeline's if it is left out, that of its library if it is `default`."""
    file: WeightFile | None = None
    """One file with the weights, safetensors or GGUF: a path, or a name in the repository `id`."""
    config: ComponentId | None = None
    """Configuration for `file`; by default that of the pipeline's own component."""
    quantization: QuantisationTable | None = None
    """How the weights are quantised at loading."""

    @model_validator(mode="wrap")
    @classmethod
    def _or_none(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Any:
        if given in (NONE, OWN):
            return (_Without if given == NONE else _Own).model_construct()
        if given == {}:
            raise ValueError("an empty table")
        return handler(given)

    @model_serializer(mode="wrap")
    def _as_said(self, handler: SerializerFunctionWrapHandler) -> Any:
        if isinstance(self, _Own):
            return OWN
        return NONE if isinstance(self, _Without) else handler(self)


class _Without(ComponentTable):
    """A component that is not loaded."""


class _Own(ComponentTable):
    """A component that is the pipeline's own."""
