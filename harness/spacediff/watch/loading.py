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

from .put_in import RefusedError

_PLACING = ("to", "enable_model_cpu_offload", "enable_sequential_cpu_offload")
_DEVICES = ("device", "torch_device")
"""Names of the device among the arguments of `to`."""
_OFFLOADS = {f"{name}_cpu_offload": f"enable_{name}_cpu_offload" for name in ("model", "sequential")}


class Loading:
    """Changes the calls by which a script loads and places pipelines.

    Args:
        settings: Nested tables by the paths of a scenario, of which `model`, `load` and `placement` are put in.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        model = settings.get("model", {})
        self._dtype: str | None = model.get("dtype")
        self._arguments = {name: model[name] for name in ("revision", "variant") if name in model}
        self._arguments |= settings.get("load", {})
        self._placement: str | None = settings.get("placement")
        self._loaded = 0
        self._placed: list[weakref.ref[Any]] = []
        self._inside = False
        self._originals: dict[str, Callable[..., Any]] = {}
        self._paths = [*(f"model.{name}" for name in model), *(f"load.{name}" for name in settings.get("load", {}))]

    def watch(self, base: type) -> None:
        """Change the methods of the base class of all pipelines, where anything is to be put in.

        Args:
            base: `DiffusionPipeline`.
        """
        if self._paths:
            load = vars(base)["from_pretrained"].__func__
            setattr(base, "from_pretrained", classmethod(self._loading(load)))  # noqa: B010 - mypy takes no other assignment
        if self._placement is not None:
            for name in _PLACING:
                self._originals[name] = vars(base)[name]
                setattr(base, name, self._placing(name, vars(base)[name]))

    def put_in(self) -> list[str]:
        """Return the paths that were put in until now.

        Raises:
            RefusedError: The script has made no call for one of them, or several.
        """
        if self._paths and self._loaded != 1:
            made = f"loads {self._loaded} pipelines" if self._loaded else "loads no pipeline by from_pretrained"
            raise RefusedError(self._paths[0], f"the script {made} before the call")
        if self._placement is None:
            return self._paths
        if not self._placed:
            raise RefusedError("placement", "the script moves no pipeline to a device before the call")
        if len(self._placed) > 1:
            raise RefusedError("placement", f"the script moves {len(self._placed)} pipelines before the call")
        return [*self._paths, "placement"]

    def _loading(self, load: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(load)
        def loading(kind: type, *args: Any, **kwargs: Any) -> Any:
            if self._inside:  # a pipeline that another one loads
                return load(kind, *args, **kwargs)
            self._loaded += 1
            with self._own():
                return load(kind, *args, **self._loaded_with(kwargs))

        return loading

    def _loaded_with(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        import torch

        found = {**kwargs, **self._arguments}
        if self._dtype is not None:
            found["dtype" if "dtype" in kwargs else "torch_dtype"] = getattr(torch, self._dtype)
        return found

    def _placing(self, name: str, place: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(place)
        def placing(pipeline: Any, *args: Any, **kwargs: Any) -> Any:
            given = [*args, *(kwargs.get(each) for each in _DEVICES)]
            if self._inside or (name == "to" and not any(map(_is_device, given))):
                return place(pipeline, *args, **kwargs)
            if not any(each() is pipeline for each in self._placed):
                self._placed.append(weakref.ref(pipeline))
            with self._own():
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


def _is_device(value: Any) -> bool:
    return type(value).__name__ == "device" or (isinstance(value, str | int) and not isinstance(value, bool))
