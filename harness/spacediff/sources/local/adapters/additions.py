"""Textual inversions and the IP adapter, loaded as a script loads them."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from spacediff.errors import CheckpointUnavailable, UnsupportedSetting, causes_of, failure
from spacediff.fitting.named import ENCODER, encoder_folder
from spacediff.settings import Origin, Settings
from spacediff.sources.local.adapters.files import AdapterFile, adapter_file


def load_textual_inversions(pipeline: Any, declared: Settings) -> Settings:
    """Load the textual inversions of a run, in the order of their names, and return what was observed of them.

    Raises:
        UnsupportedSetting: The pipeline takes none, or one has no id.
        CheckpointUnavailable: A file is missing or does not load.
    """
    tables = {name: one for name, one in declared.table("textual_inversion").items() if isinstance(one, Mapping)}
    if not tables:
        return Settings()
    if not hasattr(pipeline, "load_textual_inversion"):
        raise UnsupportedSetting(f"{type(pipeline).__name__} takes no textual inversion")
    tokenizer = copy.deepcopy(pipeline.tokenizer)  # it gets new tokens, and all runs share the loaded one
    pipeline.register_modules(tokenizer=tokenizer)
    embedding = pipeline.text_encoder.get_input_embeddings().weight
    embedding.data = embedding.data.clone()
    found: dict[str, Any] = {}
    for name, table in tables.items():
        path = f"textual_inversion.{name}"
        file = _file_of(path, table)
        before = set(tokenizer.get_vocab())
        with _explained(path, file):
            pipeline.load_textual_inversion(
                str(file.folder), weight_name=file.name, token=table.get("token"), use_safetensors=True
            )
        new = sorted(set(tokenizer.get_vocab()) - before, key=len)
        found[name] = {**_resolved(file), "token": new[0], "vectors": len(new)}
    return Settings.of({"textual_inversion": found}, Origin.OBSERVED, "after loading")


def load_ip_adapter(pipeline: Any, declared: Settings) -> Settings:
    """Load the IP adapter of a run, and return what was observed of it.

    Raises:
        UnsupportedSetting: The pipeline takes none, or refuses its scale.
        CheckpointUnavailable: A file is missing or does not load.
    """
    table = declared.table("ip_adapter")
    if not table:
        return Settings()
    if not hasattr(pipeline, "load_ip_adapter"):
        raise UnsupportedSetting(f"{type(pipeline).__name__} takes no IP adapter")
    inside = encoder_folder(table)
    file = _file_of("ip_adapter", table, further=(f"{inside}/*.json", f"{inside}/*.safetensors"))
    _refuse_pickled_encoder(file, inside)
    given = {"subfolder": file.subfolder, "weight_name": file.name}
    if "image_encoder_folder" in inspect.signature(pipeline.load_ip_adapter).parameters:
        given["image_encoder_folder"] = table.get("image_encoder_folder", ENCODER)
    elif "image_encoder_folder" in table:
        raise UnsupportedSetting(f"ip_adapter.image_encoder_folder: {type(pipeline).__name__} takes no such folder")
    with _explained("ip_adapter", file):
        pipeline.load_ip_adapter(str(file.root), **given)
    if "scale" in table:
        try:
            pipeline.set_ip_adapter_scale(table["scale"])
        except Exception as error:
            raise UnsupportedSetting(f"{type(pipeline).__name__} refuses ip_adapter.scale: {failure(error)}") from error
    seen = {**_resolved(file), "scale": 1.0}
    return Settings.of({"ip_adapter": seen}, Origin.DEFAULT, "load_ip_adapter")


def _refuse_pickled_encoder(file: AdapterFile, folder: str) -> None:
    place = file.root / folder
    if place.is_dir() and not any(place.glob("*.safetensors")):
        raise CheckpointUnavailable(
            f"ip_adapter: the image encoder in {folder} has no .safetensors file, and a pickled one is not read",
            hint="convert it to .safetensors",
        )


def _file_of(path: str, table: Mapping[str, Any], further: tuple[str, ...] = ()) -> AdapterFile:
    if "id" not in table:
        given = ", ".join(f"{path}.{key}" for key in table)
        raise UnsupportedSetting(f"{given} is set, but nothing is loaded: {path} has no id")
    return adapter_file(path, table, further=further)


def _resolved(file: AdapterFile) -> dict[str, str]:
    return {"weight_name": file.name, **({"commit": file.commit} if file.commit else {})}


@contextmanager
def _explained(path: str, file: AdapterFile) -> Iterator[None]:
    """Turn the error of a library into one that names the setting."""
    try:
        yield
    except Exception as error:
        *_, root = causes_of(error)
        said = failure(root if isinstance(root, Exception) else error)
        raise CheckpointUnavailable(f"{path}: {file.name} could not be loaded: {said}") from error
