"""LoRA weights: loaded, weighed, fused and unloaded as a script does it, and checked to act."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from spacediff.errors import (
    CheckpointUnavailable,
    NotMeasuredError,
    UnsupportedSetting,
    causes_of,
    did_you_mean,
    failure,
)
from spacediff.observer.adapter_layers import Layers, layers_of, scales_of
from spacediff.record import Ignored
from spacediff.scenario.adapters import in_order
from spacediff.settings import Origin, Settings
from spacediff.sources.local.adapters.files import AdapterFile, adapter_file
from spacediff.sources.local.adapters.layers import own_weights, without_layer

_SECOND = "transformer_2"
"""The component that `load_into_transformer_2` loads into."""
_MOST_SHOWN = 5
"""Modules of a file that are named."""


def load_loras(pipeline: Any, declared: Settings) -> tuple[Settings, tuple[Ignored, ...]]:
    """Load the LoRAs of a run, and return what was observed of them and what has no effect.

    Raises:
        UnsupportedSetting: The pipeline takes no LoRA, or not this one.
        CheckpointUnavailable: A file is missing or does not load.
    """
    tables = declared.table("lora")
    for name, table in tables.items():
        if isinstance(table, Mapping) and "id" not in table:
            given = ", ".join(f"lora.{name}.{key}" for key in table)
            raise UnsupportedSetting(f"{given} is set, but no LoRA {name!r} is loaded: it has no id")
    names = in_order(declared)
    if not names:
        return Settings(), ()
    _refuse_pipelines_without_loras(pipeline)
    loading = _Loading(pipeline, tables)
    for name in names:
        loading.load(name)
    loading.activate()
    return loading.observed(), tuple(loading.ignored)


class _Loading:
    """The LoRAs that are loaded into a pipeline so far.

    Those that are fused one after the other and stay loaded are fused together: to activate one, peft takes back what
    is fused and still loaded.
    """

    def __init__(self, pipeline: Any, tables: Mapping[str, Any]) -> None:
        self.ignored: list[Ignored] = []
        self._pipeline = pipeline
        self._tables = tables
        self._files: dict[str, dict[str, Any]] = {}
        self._to_fuse: list[str] = []
        self._fused: list[str] = []
        self._unloaded: dict[str, dict[str, Any]] = {}
        self._active: list[str] = []

    def load(self, name: str) -> None:
        """Load one, and fuse and unload it if its table says so."""
        table = self._tables[name]
        is_fused = bool(table.get("fused"))
        if not is_fused:
            self._fuse()
            if table.get("unloaded"):
                raise UnsupportedSetting(f"lora.{name}.unloaded: what is not fused has no effect once it is unloaded")
        file = adapter_file(f"lora.{name}", table)
        with _explained(name, file):
            keys = _load(self._pipeline, name, table, file)
        layers = layers_of(self._pipeline, name)
        _refuse_unmatched(self._pipeline, name, file, layers, keys)
        self._note_unmatched(name, without_layer(keys, layers, table.get("component")))
        self._files[name] = {"weight_name": file.name, **({"commit": file.commit} if file.commit else {})}
        (self._to_fuse if is_fused else self._active).append(name)
        if table.get("unloaded"):
            self._unload(name)

    def activate(self) -> None:
        """Weigh and activate those that are not fused, where loading alone does not."""
        self._fuse()
        has_scale = any("scale" in self._tables[name] for name in self._active)
        if self._active and (len(self._active) > 1 or self._fused or has_scale):
            self._weigh(self._active)

    def observed(self) -> Settings:
        """Return the files and what acts where, as observed after loading."""
        result = Settings()
        for name, file in self._files.items():
            acts = self._unloaded.get(name) or scales_of(layers_of(self._pipeline, name), name)
            self._note_without_effect(name, acts)
            defaults = Settings.of({"lora": {name: file}}, Origin.DEFAULT, "the adapter's folder")
            seen = Settings.of({"lora": {name: {"active": acts}}}, Origin.OBSERVED, "after loading")
            result = result.changed_by(defaults).changed_by(seen)
        return result

    def _weigh(self, names: list[str]) -> None:
        weights = [self._tables[name].get("scale", 1.0) for name in names]
        try:
            self._pipeline.set_adapters(names, weights)
        except Exception as error:
            given = ", ".join(f"lora.{name}.scale" for name in names)
            raise UnsupportedSetting(f"{type(self._pipeline).__name__} refuses {given}: {failure(error)}") from error

    def _fuse(self) -> None:
        if not self._to_fuse:
            return
        self._weigh(self._to_fuse)
        by_component: dict[str | None, list[str]] = {}
        for name in self._to_fuse:
            own_weights(layers_of(self._pipeline, name))
            by_component.setdefault(self._tables[name].get("component"), []).append(name)
        for component, names in by_component.items():
            self._fuse_into(component, names)
        self._fused += self._to_fuse
        self._to_fuse = []

    def _fuse_into(self, component: str | None, names: list[str]) -> None:
        given = ", ".join(f"lora.{name}.lora_scale" for name in names)
        scales = {self._tables[name].get("lora_scale", 1.0) for name in names}
        if len(scales) > 1:
            raise UnsupportedSetting(
                f"{given} differ, and fuse_lora has one scale for all that are loaded", hint="set unloaded for each"
            )
        chosen = {} if component is None else {"components": [component]}
        try:
            self._pipeline.fuse_lora(adapter_names=names, lora_scale=scales.pop(), **chosen)
        except Exception as error:
            raise UnsupportedSetting(f"lora.{names[0]}.fused: it cannot be fused: {failure(error)}") from error

    def _unload(self, name: str) -> None:
        if self._active:
            raise UnsupportedSetting(
                f"lora.{name}.unloaded: unload_lora_weights would remove {', '.join(self._active)} too",
                hint=f"load {name} before the adapters that are not fused",
            )
        self._fuse()
        self._unloaded |= {
            each: scales_of(layers_of(self._pipeline, each), each) for each in self._fused if each not in self._unloaded
        }
        self._pipeline.unload_lora_weights()

    def _note_unmatched(self, name: str, modules: list[str]) -> None:
        if modules:
            more = f" and {len(modules) - _MOST_SHOWN} more" if len(modules) > _MOST_SHOWN else ""
            self._note(
                f"lora.{name}.id",
                ", ".join(modules[:_MOST_SHOWN]) + more,
                "load_lora_weights",
                "the file has weights for these modules, and no model of the pipeline has them",
            )

    def _note_without_effect(self, name: str, acts: Mapping[str, Any]) -> None:
        """Note what is fused and was taken back again since another one was activated."""
        if name in self._fused and self._active and not any(acts.values()):
            self._note(
                f"lora.{name}.fused",
                self._tables[name]["fused"],
                "fuse_lora",
                f"to activate {', '.join(self._active)}, peft takes back what is fused and still loaded: "
                f"set lora.{name}.unloaded",
            )

    def _note(self, argument: str, value: Any, method: str, advice: str) -> None:
        given_to = f"{type(self._pipeline).__name__}.{method}"
        self.ignored.append(Ignored(argument=argument, value=value, given_to=given_to, advice=advice))


def _refuse_pipelines_without_loras(pipeline: Any) -> None:
    if importlib.util.find_spec("peft") is None:
        raise UnsupportedSetting("lora needs the package peft, which is not installed", hint="pip install peft")
    if not hasattr(pipeline, "load_lora_weights"):
        raise UnsupportedSetting(f"{type(pipeline).__name__} takes no LoRA: it has no load_lora_weights")


def _load(pipeline: Any, name: str, table: Mapping[str, Any], file: AdapterFile) -> Mapping[str, Any]:
    """Load a LoRA into the components that take it, and return the names of its matrices as diffusers converts them."""
    given: dict[str, Any] = {"weight_name": file.name, "adapter_name": name, "use_safetensors": True}
    component = table.get("component")
    loadable = [each for each in _loadable(pipeline) if getattr(pipeline, each, None) is not None]
    if component is None:
        pipeline.load_lora_weights(str(file.folder), **given)
    elif component not in loadable:
        raise UnsupportedSetting(
            f"lora.{name}.component: {type(pipeline).__name__} loads LoRAs into {', '.join(loadable)}, not into "
            f"{component!r}{did_you_mean(component, loadable)}"
        )
    elif component == _SECOND:
        pipeline.load_lora_weights(str(file.folder), load_into_transformer_2=True, **given)
    elif hasattr(getattr(pipeline, component), "load_lora_adapter"):
        getattr(pipeline, component).load_lora_adapter(str(file.folder), prefix=component, **given)
    else:
        raise UnsupportedSetting(f"lora.{name}.component: diffusers loads no LoRA into {component} alone")
    found = pipeline.lora_state_dict(str(file.folder), weight_name=file.name, use_safetensors=True)
    keys: Mapping[str, Any] = found[0] if isinstance(found, tuple) else found
    return {key: None for key in keys if component in {None, _SECOND} or key.startswith(f"{component}.")}


def _loadable(pipeline: Any) -> list[str]:
    return list(getattr(pipeline, "_lora_loadable_modules", ()))


def _refuse_unmatched(pipeline: Any, name: str, file: AdapterFile, layers: Layers, keys: Mapping[str, Any]) -> None:
    if layers:
        return
    begins = ", ".join(sorted({key.partition(".")[0] for key in keys})[:_MOST_SHOWN]) or "nothing"
    raise UnsupportedSetting(
        f"lora.{name} matches no layer of {type(pipeline).__name__}: the keys of {file.name} begin with {begins}, and "
        f"LoRAs go into {', '.join(_loadable(pipeline))}",
        hint="check that the LoRA was trained for this model",
    )


@contextmanager
def _explained(name: str, file: AdapterFile) -> Iterator[None]:
    """Turn the error of a library into one that names the adapter."""
    try:
        yield
    except NotMeasuredError:
        raise
    except Exception as error:
        *_, root = causes_of(error)
        said = failure(root if isinstance(root, Exception) else error)
        raise CheckpointUnavailable(f"lora.{name}: {file.name} could not be loaded: {said}") from error
