"""Weights on the Hub that are loaded beside a checkpoint's: other components, LoRAs, textual inversions, an IP adapter.

Which files the libraries take of a repository is known, so that what they weigh can be asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from spacediff.fitting.weights import adapter_weights, chosen_files
from spacediff.scenario.paths import is_path
from spacediff.scenario.tables.components import NONE, OWN
from spacediff.settings import Settings

ENCODER = "image_encoder"
"""The folder of an IP adapter's image encoder, as diffusers names it."""
_VAE = "vae"
_WITHOUT_WEIGHTS = re.compile(r".*(tokenizer|scheduler|processor|feature_extractor)(_\d+)?")
_CLASS_WITHOUT_WEIGHTS = re.compile(r".*(Tokenizer|TokenizerFast|Scheduler|Processor|ProcessorFast|Extractor)")


@dataclass(frozen=True)
class Named:
    """Weights in a repository of the Hub that settings name.

    Attributes:
        repository: `ORG/NAME`.
        revision: Branch, tag or commit; None for the newest.
        kind: A `model` has the files that `from_pretrained` takes, an `adapter` one file; `patterns` alone say what is
            taken of other `files`.
        subfolder: The folder inside; empty for none.
        file: The file inside; empty for those that the library takes.
        variant: Variant of the files, such as `fp16`.
        patterns: Of the paths of further files that are taken, as in a shell.
    """

    repository: str
    revision: str | None = None
    kind: Literal["model", "adapter", "files"] = "model"
    subfolder: str = ""
    file: str = ""
    variant: str | None = None
    patterns: tuple[str, ...] = ()


def is_on_hub(name: str) -> bool:
    """Whether a name is that of a repository, and no folder of that name is here."""
    return not is_path(name) and not Path(name).is_dir()


def is_elsewhere(table: object) -> bool:
    """Whether a component's settings leave the weights of the checkpoint's own unread."""
    return table == NONE or (isinstance(table, Mapping) and not table.keys().isdisjoint({"id", "file"}))


def components_apart(settings: Settings) -> dict[str, Any]:
    """Return the components that settings load separately or not at all, with the dtype of the VAE in its place.

    The value of a component is its table, or the word for leaving it out.
    """
    declared = {name: table for name, table in settings.table("components").items() if table != OWN}
    dtype = settings.value("vae.dtype")
    if dtype is not None and declared.get(_VAE) != NONE:
        declared[_VAE] = {**declared.get(_VAE, {}), "dtype": dtype}
    return declared


def has_weights(name: str, table: object) -> bool:
    """Whether a component is a model, by its class or its usual name, and no tokenizer, scheduler or processor."""
    kind = table.get("class") if isinstance(table, Mapping) else None
    return not (_CLASS_WITHOUT_WEIGHTS.fullmatch(kind) if kind else _WITHOUT_WEIGHTS.fullmatch(name))


def named_component(table: object) -> Named | None:
    """Return the weights on the Hub that a component's settings name; None where they are the checkpoint's, or here."""
    if not isinstance(table, Mapping) or not is_on_hub(table.get("id", ".")) or is_path(table.get("file", "")):
        return None
    place = table.get("subfolder", ""), table.get("file", "")
    return Named(table["id"], table.get("revision"), "model", *place, table.get("variant"))


def named_weights(settings: Settings) -> list[Named]:
    """List all weights on the Hub that settings name beside the checkpoint."""
    tables = settings.table("components").items()
    components = [named_component(table) for name, table in tables if has_weights(name, table)]
    loras, inversions = settings.table("lora"), settings.table("textual_inversion")
    adapters = [_named_adapter(table) for table in (*loras.values(), *inversions.values())]
    image_prompt = settings.table("ip_adapter")
    adapters.append(_named_adapter(image_prompt, f"{encoder_folder(image_prompt)}/*.safetensors"))
    return list(filter(None, (*components, *adapters)))


def encoder_folder(table: Mapping[str, Any]) -> str:
    """Return the folder of an IP adapter's image encoder inside its repository."""
    encoder = str(table.get("image_encoder_folder", ENCODER))
    return encoder if "/" in encoder else f"{table.get('subfolder', '')}/{encoder}".removeprefix("/")


def files_of(named: Named, there: Iterable[str]) -> list[str]:
    """Return the files that are loaded, paths inside the repository; none where they are missing or not certain.

    Args:
        named: The weights.
        there: The paths of all files of the repository.
    """
    paths = list(there)
    before = f"{named.subfolder}/" if named.subfolder else ""
    inside = [path.removeprefix(before) for path in paths if path.startswith(before)]
    own = [before + path for path in _own(named, inside)]
    if not own and named.kind != "files":
        return []
    return own + [path for path in paths if any(fnmatchcase(path, each) for each in named.patterns)]


def _own(named: Named, inside: list[str]) -> list[str]:
    names = [path for path in inside if "/" not in path]
    if named.file:
        return [named.file] if named.file in inside else []
    match named.kind:
        case "model":
            found = chosen_files(names, named.variant)
            return found if all(f".{named.variant or ''}" in name for name in found) else []  # as its class does
        case "adapter":
            found = adapter_weights(names)
            return found if len(found) == 1 else []
    return []


def _named_adapter(table: object, *patterns: str) -> Named | None:
    if not isinstance(table, Mapping) or not is_on_hub(table.get("id", ".")):
        return None
    place = table.get("subfolder", ""), table.get("weight_name", "")
    return Named(table["id"], table.get("revision"), "adapter", *place, patterns=patterns)
