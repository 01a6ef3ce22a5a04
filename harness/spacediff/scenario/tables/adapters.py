"""What is loaded in addition to a checkpoint: LoRA weights, textual inversions, an IP adapter.

The key insight is that adapters are held by name: `lora.NAME.scale` is one setting, which a variant changes alone. A
file may list them as `[[baseline.lora]]`, which `spacediff.scenario.adapters` turns into tables by name.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from spacediff.scenario.paths import is_path
from spacediff.scenario.tables.base import Table, expect, matching, written_as
from spacediff.scenario.tables.types import HUB_ID_OR_PATH, Name, Subfolder, Word, folder_or_id

_UNPICKLED = "spacediff reads no pickled weights, since reading them runs code; convert the file to .safetensors"
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_FILE = r"^[^\s/\\:]+\.safetensors$"


def _not_pickled(name: str) -> str:
    if name.lower().endswith(_PICKLED):
        raise ValueError
    return name


def _scale(value: Any) -> Any:
    """Refuse what is neither a number nor made of numbers: tables by block, and lists by layer of a block."""
    inner = list(value.values()) if isinstance(value, dict) else value
    if isinstance(inner, list) and inner:
        return value if all(_scale(each) is each for each in inner) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError  # noqa: TRY004 - pydantic collects no TypeError
    return value


def _not_a_file(name: str) -> str:
    """Refuse the name of a file that does not begin like a path: it would be looked for on the Hub."""
    if name.endswith(".safetensors") and not is_path(name):
        raise ValueError
    return name


AdapterId = Annotated[
    str,
    matching(
        rf"^{HUB_ID_OR_PATH}",
        'a Hub id such as "org/name", or a folder or .safetensors file that begins with ., /, ~ or a drive; '
        + _UNPICKLED,
    ),
    AfterValidator(_not_pickled),
    AfterValidator(_not_a_file),
    AfterValidator(folder_or_id),
]
WeightName = Annotated[str, matching(_FILE, f"the name of a .safetensors file; {_UNPICKLED}")]
Scale = Annotated[
    Any,
    AfterValidator(_scale),
    Field(json_schema_extra=expect("a number, or a table of numbers by component or block, such as { unet = 0.8 }")),
]
Component = Annotated[str, matching("^[a-z][a-z0-9_]*$", 'the name of a component, such as "transformer_2"')]


class _Source(Table):
    """Where the weights of an adapter come from."""

    model_config = ConfigDict(json_schema_extra=written_as("id"))

    id: AdapterId | None = None
    """Hub id, folder, or .safetensors file."""
    weight_name: WeightName | None = None
    """The file, where the repository or folder has several."""
    subfolder: Subfolder | None = None
    """Folder of the file inside the repository or folder."""
    revision: Word | None = None
    """Branch, tag or commit on the Hub."""
    removed: Literal[True] | None = None
    """In a variant: the baseline's one is not loaded. `NAME = "none"` says the same."""


class LoraTable(_Source):
    """One LoRA, as `load_lora_weights` loads it."""

    scale: Scale | None = None
    """Its weight, as `set_adapters` takes it; 1 by default."""
    component: Component | None = None
    """The only component that gets it, such as `transformer_2` of Wan 2.2; by default as the pipeline does it."""
    fused: bool | None = None
    """Whether it is added to the weights: `fuse_lora`."""
    lora_scale: float | None = None
    """What `fuse_lora` multiplies the scale by; 1 by default."""
    unloaded: bool | None = None
    """Whether `unload_lora_weights` is called after it is fused."""


class LoraEntry(LoraTable):
    """One LoRA of a list."""

    name: Name
    """The adapter's name, which a variant refers to."""


class LoraAdapters(Table):
    """LoRAs by name."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, LoraTable] = Field(init=False)

    order: list[Name] | None = None
    """The order in which they are loaded; that of the list, or of their names, by default."""


class TextualInversionTable(_Source):
    """One textual inversion, as `load_textual_inversion` loads it."""

    token: Annotated[str, matching(r"\S", "the token that stands for it in a prompt", max_length=200)] | None = None
    """The token that stands for it in a prompt; by default the one in the file."""


class TextualInversions(Table):
    """Textual inversions by name."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra=expect('tables by name, such as { NAME = { id = "org/name" } }')
    )
    __pydantic_extra__: dict[str, TextualInversionTable] = Field(init=False)


class IpAdapterTable(_Source):
    """An IP adapter, as `load_ip_adapter` loads it; its picture is the input `ip_adapter_image`."""

    scale: Scale | None = None
    """Its weight, as `set_ip_adapter_scale` takes it; 1 by default."""
    image_encoder_folder: Subfolder | None = None
    """Folder of its image encoder; `image_encoder` in the folder of its file by default."""


Loras = Annotated[
    LoraAdapters,
    BeforeValidator(lambda value: value, json_schema_input_type=list[LoraEntry] | LoraAdapters),
    Field(json_schema_extra=expect("a list of tables, [[baseline.lora]], or a table by the adapters' names")),
]
