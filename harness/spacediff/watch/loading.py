"""Put other arguments in where a script loads and places its pipelines.

The key insight: how weights were loaded and where they are cannot be changed when a call begins, as a script would have
done it. So the calls that the script makes for it get other arguments, and a script that makes none is refused.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .loaded import Loaded
from .refusing import refusals

_PLACING = ("to", "enable_model_cpu_offload", "enable_sequential_cpu_offload")
_DEVICES = ("device", "torch_device")
"""Names of the device among the arguments of `to`."""
_OFFLOADS = {f"{name}_cpu_offload": f"enable_{name}_cpu_offload" for name in ("model", "sequential")}
_VAE = "Autoencoder"


class Loading:
    """Changes the calls by which a script loads and places pipelines, or only counts them.

    Args:
        settings: Nested tables by the paths of a scenario, of which `model`, `load`, `vae.dtype` and `placement` are
            put in.
        look: Whether the calls are counted although none of these is to be put in.
    """

    def __init__(self, settings: Mapping[str, Any], *, look: bool = False) -> None:
        model = settings.get("model", {})
        self._settings = settings
        self._dtype: str | None = model.get("dtype")
        self._vae_dtype: str | None = settings.get("vae", {}).get("dtype")
        self._arguments = {name: model[name] for name in ("revision", "variant") if name in model}
        self._arguments |= settings.get("load", {})
        self._placement: str | None = settings.get("placement")
        self._loaded: list[Loaded] = []
        self._vaes = 0
        self._placed: list[weakref.ref[Any]] = []
        self._inside = False
        self._originals: dict[str, Callable[..., Any]] = {}
        self._paths = [*(f"model.{name}" for name in model), *(f"load.{name}" for name in settings.get("load", {}))]
        self._paths += ["vae.dtype"] if self._vae_dtype is not None else []
        self._look = look

    def watch(self, base: type) -> None:
        """Change the methods of the base class of all pipelines, where anything is to be put in or counted.

        Args:
            base: `DiffusionPipeline`.
        """
        if self._paths or self._look:
            load = vars(base)["from_pretrained"].__func__
            setattr(base, "from_pretrained", classmethod(self._loading(load)))  # noqa: B010 - mypy takes no other assignment
        if self._placement is not None or self._look:
            for name in _PLACING:
                self._originals[name] = vars(base)[name]
                setattr(base, name, self._placing(name, vars(base)[name]))

    def watch_models(self, base: type) -> None:
        """Change how VAEs are loaded by themselves.

        Args:
            base: `ModelMixin`.
        """
        if self._vae_dtype is not None or self._look:
            load = vars(base)["from_pretrained"].__func__
            setattr(base, "from_pretrained", classmethod(self._loading_vae(load)))  # noqa: B010 - as above

    @property
    def offered(self) -> dict[str, Any]:
        """What the script has loaded and placed until now, as `spacediff.watch.refusing` asks it."""
        found = {"loaded": len(self._loaded), "vaes": self._vaes, "placed": len(self._placed)}
        return found | (self._loaded[0].offered if len(self._loaded) == 1 else {})

    def put_in(self) -> list[str]:
        """Return the paths that were put in until now.

        Raises:
            RefusedError: The script has made no call for one of them, or several, or what was loaded does not show it.
        """
        for refused in refusals(self._settings, {"loading": self.offered}):
            raise refused
        for loaded in self._loaded:
            loaded.prove()
        return [*self._paths, *(["placement"] if self._placement is not None else [])]

    def _loading(self, load: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(load)
        def loading(kind: type, *args: Any, **kwargs: Any) -> Any:
            if self._inside:  # a pipeline that another one loads
                return load(kind, *args, **kwargs)
            loaded = Loaded(args[0] if args else kwargs.get("pretrained_model_name_or_path"), self._arguments)
            self._loaded.append(loaded)
            self._vaes += kwargs.get("vae") is None
            with self._own(), loaded.noting():
                found = load(kind, *args, **self._loaded_with(kwargs))
            loaded.holds(found)
            self._vaes -= kwargs.get("vae") is None and getattr(found, "vae", None) is None
            return found

        return loading

    def _loading_vae(self, load: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(load)
        def loading(kind: type, *args: Any, **kwargs: Any) -> Any:
            if self._inside or _VAE not in kind.__name__:
                return load(kind, *args, **kwargs)
            self._vaes += 1
            with self._own():
                return load(kind, *args, **_with_dtype(kwargs, self._vae_dtype))

        return loading

    def _loaded_with(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        found = _with_dtype({**kwargs, **self._arguments}, self._dtype)
        if self._vae_dtype is None or kwargs.get("vae") is not None:
            return found
        name = "dtype" if "dtype" in found else "torch_dtype"
        usual = found.get(name)
        of_parts = dict(usual) if isinstance(usual, Mapping) else {} if usual is None else {"default": usual}
        return found | {name: of_parts | {"vae": _dtype(self._vae_dtype)}}

    def _placing(self, name: str, place: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(place)
        def placing(pipeline: Any, *args: Any, **kwargs: Any) -> Any:
            given = [*args, *(kwargs.get(each) for each in _DEVICES)]
            if self._inside or (name == "to" and not any(map(_is_device, given))):
                return place(pipeline, *args, **kwargs)
            if not any(each() is pipeline for each in self._placed):
                self._placed.append(weakref.ref(pipeline))
            with self._own():
                if self._placement is None:
                    return place(pipeline, *args, **kwargs)
                result = self._place(pipeline)
                if name != "to":
                    return result
                others = [each for each in args if not _is_device(each)]
                named = {key: each for key, each in kwargs.items() if key not in _DEVICES}
                if others or named:
                    self._originals["to"](pipeline, *others, **named)
                return pipeline

        return placing

    def _place(self, pipeline: Any) -> Any:
        """Place a pipeline as asked for."""
        wanted, _, number = str(self._placement).partition(":")
        if wanted in _OFFLOADS:
            return self._originals[_OFFLOADS[wanted]](pipeline, **({"gpu_id": int(number)} if number else {}))
        return self._originals["to"](pipeline, self._placement)

    @contextmanager
    def _own(self) -> Iterator[None]:
        """Leave calls alone that the library makes inside another one."""
        self._inside = True
        try:
            yield
        finally:
            self._inside = False


def _dtype(name: str) -> Any:
    import torch

    return getattr(torch, name)


def _with_dtype(kwargs: Mapping[str, Any], dtype: str | None) -> dict[str, Any]:
    """Return arguments of loading with another dtype, by the name that they use for it."""
    return {**kwargs, **({} if dtype is None else {"dtype" if "dtype" in kwargs else "torch_dtype": _dtype(dtype)})}


def _is_device(value: Any) -> bool:
    return type(value).__name__ == "device" or (isinstance(value, str | int) and not isinstance(value, bool))
