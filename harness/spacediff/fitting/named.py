"""Weights that a run loads beside its checkpoint's: components of their own, LoRAs, textual inversions, an IP adapter.

Of those on the Hub it is known which files diffusers takes, so that what they weigh can be asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from spacediff.fitting.weights import adapter_weights, chosen_files
from spacediff.scenario.paths import is_path
from spacediff.settings import Settings

NONE, OWN = "none", "own"
"""Words in place of a component's table: the pipeline is loaded without it, or with its own."""
ENCODER = "image_encoder"
"""The folder of an IP adapter's image encoder, as diffusers names it."""


@dataclass(frozen=True)
class Named:
    """Weights in a repository of the Hub that settings name.

    Attributes:
        repository: `ORG/NAME`.
        revision: Branch, tag or commit; None for the newest.
        subfolder: The folder inside; empty for none.
        file: The file inside; empty for those that the library takes.
        variant: Variant of the files, such as `fp16`.
        is_adapter: Whether it is an adapter, of which one file is taken, and not a model.
        beside: A folder inside, all of whose safetensors files are loaded too; empty for none.
    """

    repository: str
    revision: str | None = None
    subfolder: str = ""
    file: str = ""
    variant: str | None = None
    is_adapter: bool = False
    beside: str = ""


def is_elsewhere(table: object) -> bool:
    """Whether a component's settings leave the weights of the checkpoint's own unread."""
    return table == NONE or (isinstance(table, Mapping) and not table.keys().isdisjoint({"id", "file"}))


def named_component(table: object) -> Named | None:
    """Return the weights on the Hub that a component's settings name; None where they are the checkpoint's, or here."""
    if not isinstance(table, Mapping) or "id" not in table or is_path(table["id"]) or is_path(table.get("file", "")):
        return None
    return Named(table["id"], *_place(table), table.get("file", ""), table.get("variant"))


def named_weights(settings: Settings) -> list[Named]:
    """List all weights on the Hub that settings name beside the checkpoint."""
    components = [named_component(table) for table in settings.table("components").values()]
    loras, inversions = settings.table("lora"), settings.table("textual_inversion")
    adapters = [_named_adapter(table) for table in (*loras.values(), *inversions.values())]
    image_prompt = settings.table("ip_adapter")
    adapters.append(_named_adapter(image_prompt, beside=encoder_folder(image_prompt)))
    return list(filter(None, (*components, *adapters)))


def files_of(named: Named, there: Iterable[str]) -> list[str]:
    """Return the files that are loaded, paths inside the repository; none where they are missing or not certain.

    Args:
        named: The weights.
        there: The paths of all files of the repository.
    """
    paths = list(there)
    before = f"{named.subfolder}/" if named.subfolder else ""
    inside = [path.removeprefix(before) for path in paths if path.startswith(before)]
    names = [path for path in inside if "/" not in path]
    if named.file:
        own = [named.file] if named.file in inside else []
    elif named.is_adapter:
        found = adapter_weights(names)
        own = found if len(found) == 1 else []
    else:
        own = chosen_files(names, named.variant)
    if not own or not named.beside:
        return [before + path for path in own]
    beside = [path for path in paths if path.startswith(f"{named.beside}/") and path.endswith(".safetensors")]
    return [*(before + path for path in own), *beside]


def encoder_folder(table: Mapping[str, Any]) -> str:
    """Return the folder of an IP adapter's image encoder inside its repository."""
    encoder = str(table.get("image_encoder_folder", ENCODER))
    return encoder if "/" in encoder else f"{table.get('subfolder', '')}/{encoder}".removeprefix("/")


def _named_adapter(table: object, beside: str = "") -> Named | None:
    if not isinstance(table, Mapping) or "id" not in table or is_path(table["id"]):
        return None
    return Named(table["id"], *_place(table), table.get("weight_name", ""), is_adapter=True, beside=beside)


def _place(table: Mapping[str, Any]) -> tuple[str | None, str]:
    return table.get("revision"), table.get("subfolder", "")
