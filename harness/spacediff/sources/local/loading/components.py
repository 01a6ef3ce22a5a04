"""Components that are loaded separately, as a script does it: `Class.from_pretrained(...)`, passed to the pipeline.

The key insight is that a VAE in a dtype of its own is one of them: converted after loading, its weights would have been
rounded to the pipeline's dtype before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacediff.errors import CheckpointUnavailable, UnsupportedSetting
from spacediff.fitting.named import components_apart, is_elsewhere
from spacediff.fitting.weights import OF_LIBRARY
from spacediff.scenario.paths import is_path
from spacediff.scenario.tables.components import NONE
from spacediff.settings import Settings
from spacediff.sources.local.loading.classes import component_class
from spacediff.sources.local.loading.failing import naming
from spacediff.sources.local.loading.index import Entry, entry_of
from spacediff.sources.local.loading.quantisation import quantisation


@dataclass(frozen=True)
class Apart:
    """A component that is loaded separately from its pipeline.

    Attributes:
        name: Its name in the pipeline.
        declared: Its settings, with the dtype of the VAE in its place; None: the pipeline is loaded without it.
    """

    name: str
    declared: Mapping[str, Any] | None

    @property
    def is_elsewhere(self) -> bool:
        """Whether no weights of the pipeline's own checkpoint are needed for it."""
        return self.declared is None or is_elsewhere(self.declared)


def declared_apart(settings: Settings) -> list[Apart]:
    """Return the components that settings load separately, or not at all."""
    tables = sorted(components_apart(settings).items())
    return [Apart(name, None if table == NONE else table) for name, table in tables]


def load_apart(apart: Apart, settings: Settings, checkpoint: Path) -> Any:
    """Load one component; None if the pipeline is to be loaded without it.

    Args:
        apart: The component.
        settings: The declared Settings, from which it takes what it does not declare.
        checkpoint: The folder of the pipeline's checkpoint.

    Raises:
        UnsupportedSetting: No library has its class, or the checkpoint does not name one.
        CheckpointUnavailable: It cannot be loaded.
        OutOfMemory: There is too little memory for it.
    """
    if apart.declared is None:
        return None
    table = apart.declared
    own = entry_of(checkpoint, apart.name)
    kind = component_class(table.get("class") or _named(own, apart.name), apart.name)
    dtype = dtype_for(kind, table.get("dtype") or settings.value("model.dtype"))
    dtype |= quantisation(apart.name, kind, table, next(iter(dtype.values()), None))
    if "file" in table:
        return _from_file(apart.name, kind, table, own, dtype)
    source = table.get("id", own.source)
    if is_path(source) and not Path(source).is_dir():
        raise CheckpointUnavailable(f"there is no folder {source}", hint=f"components.{apart.name}.id names it")
    subfolder = table.get("subfolder", "" if "id" in table else own.subfolder)
    keys = ("variant", "revision") if "id" in table else ("variant",)
    options = {key: table[key] for key in keys if key in table} | ({"subfolder": subfolder} if subfolder else {})
    with naming(f"the component {apart.name} from {source}{f'/{subfolder}' if subfolder else ''}"):
        return kind.from_pretrained(source, **options, **dtype)


def _from_file(name: str, kind: Any, table: Mapping[str, Any], own: Entry, dtype: Mapping[str, Any]) -> Any:
    """Load a component from one file; its configuration is that of the pipeline's own, unless another is declared."""
    file = table["file"]
    if not hasattr(kind, "from_single_file"):
        raise UnsupportedSetting(f"components.{name}.file: {kind.__name__} has no from_single_file")
    config = {"config": table["config"]} if "config" in table else {}
    if not config and (Path(own.source) / own.subfolder / "config.json").is_file():
        config = {"config": own.source, "subfolder": own.subfolder}
    with naming(f"the component {name} from {file}"):
        path = file if is_path(file) else _downloaded(table, file)
        if not Path(path).is_file():
            raise CheckpointUnavailable(f"there is no file {path}", hint=f"components.{name}.file names it")
        return kind.from_single_file(path, **config, **dtype)


def _downloaded(table: Mapping[str, Any], file: str) -> str:
    if "id" not in table:
        raise UnsupportedSetting(
            f"{file} is no path, so it is the name of a file in a repository, and no id says in which",
            hint="begin a path with ./, or add id",
        )
    from huggingface_hub import hf_hub_download

    return str(hf_hub_download(table["id"], file, revision=table.get("revision"), subfolder=table.get("subfolder")))


def dtype_for(kind: Any, name: str | None) -> dict[str, Any]:
    """Return the argument of `from_pretrained` that says a dtype; none for what has no weights, such as a tokenizer.

    Args:
        kind: The class of the component.
        name: `float32`, `bfloat16` or `float16`; None or `default` for the library's default.
    """
    import torch

    if name in {None, OF_LIBRARY} or not issubclass(kind, torch.nn.Module):
        return {}
    in_transformers = kind.__module__.startswith("transformers.")
    return {"dtype" if in_transformers and _takes_dtype() else "torch_dtype": getattr(torch, str(name))}


def _takes_dtype() -> bool:
    """Whether transformers knows the shorter name of the argument, which it has had since 4.56."""
    import transformers

    major, minor, *_ = transformers.__version__.split(".")
    return (int(major), int(minor)) >= (4, 56)


def _named(own: Entry, component: str) -> str:
    if not own.kind:
        raise UnsupportedSetting(
            f"components.{component} needs its class: the checkpoint does not name one",
            hint=f'add components.{component}.class, such as "AutoencoderKLWan"',
        )
    return own.kind
