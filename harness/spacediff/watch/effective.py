"""The effective settings of a call: what the pipeline, torch and the arguments are, not what somebody meant them to be.

They have the paths that a scenario has, such as `scheduler.class`, so that a recording and a run of an audit compare.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from ..observer.attention_names import attention_for
from ..observer.packages import optional_packages
from ..observer.structure import denoisers_of, pipelines_of
from ..observer.switches import ATTENTION_BACKEND, NATIVE, chosen_by, current_numerics
from ..observer.vae_state import vae_state
from .adapters import adapters_of
from .compiling import is_compiled
from .generators import generator_of
from .placing import placement_of
from .switched_on import cache_of, freeu_of, ip_adapter_of
from .values import is_json, plain
from .weights import fingerprint
from .writing import Writer

_SNAPSHOT = re.compile(r"models--([^/\\]+?)--([^/\\]+)[/\\]snapshots[/\\]([0-9a-f]{40})(?:[/\\](.+))?")
"""A path in the Hub's cache: huggingface.co/docs/huggingface_hub/guides/manage-cache."""
_NOT_SETTINGS = frozenset({
    "self", "prompt", "generator", "output_type", "return_dict", "latents",
    "callback", "callback_steps", "callback_on_step_end", "callback_on_step_end_tensor_inputs",
})  # fmt: skip


def arguments_of(
    call: Callable[..., Any], pipeline: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return all arguments of a call by name, defaults included."""
    bound = inspect.signature(call).bind(pipeline, *args, **kwargs)
    bound.apply_defaults()
    found = dict(bound.arguments)
    for parameter in inspect.signature(call).parameters.values():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            found |= found.pop(parameter.name, {})
    return found


def as_given(
    call: Callable[..., Any], pipeline: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments that a call is given by name, where it does not take them as they are."""
    return {**dict(zip(inspect.signature(call).parameters, (pipeline, *args), strict=False)), **kwargs}


def settings_of(pipeline: Any, given: Mapping[str, Any], writer: Writer) -> dict[str, Any]:
    """Return what a recording says of a call before it is made.

    Args:
        pipeline: The pipeline.
        given: All arguments of the call.
        writer: Notes what cannot be read; the rest is returned.

    Returns:
        `prompt`, and `settings` as nested tables.
    """
    settings: dict[str, Any] = {}
    readers: dict[str, Callable[[], Any]] = {
        "model": lambda: _model(pipeline),
        "components": lambda: _components(pipeline, writer),
        "scheduler": lambda: _scheduler(pipeline),
        "call": lambda: _call_of(given),
        "rng": lambda: generator_of(pipeline, given),
        "placement": lambda: placement_of(pipeline),
        "vae": lambda: _vae(pipeline),
        "numerics": lambda: _numerics(pipeline),
        "lora": lambda: adapters_of(pipeline, writer),
        "cache": lambda: cache_of(pipeline),
        "ip_adapter": lambda: ip_adapter_of(pipeline),
        "guider": lambda: _guider(pipeline),
        "packages": lambda: optional_packages(pipeline),
    }
    for name, read in readers.items():
        with writer.noting(f"the settings {name}"):
            found = read()
            if found not in ({}, None):
                settings[name] = found
    return {"prompt": plain(given.get("prompt")), "settings": settings}


def passed_on(settings: Mapping[str, Any], pipeline: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a call with the arguments that it passes on to an inner call of its pipeline.

    Args:
        settings: Those of the outer call, as nested tables.
        pipeline: The pipeline.
        given: All arguments of the inner call.
    """
    arguments = {**settings.get("call", {}), **_call_of(given)}
    return {**settings, "call": arguments, "rng": generator_of(pipeline, given)}


def _call_of(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in given.items() if name not in _NOT_SETTINGS}


def _model(pipeline: Any) -> dict[str, Any]:
    config: Any = getattr(pipeline, "config", {})
    name = str(config.get("_name_or_path") or "")
    found = {"pipeline": type(pipeline).__name__}
    commits = {match[3] for part in parts_of(pipeline).values() if (match := _SNAPSHOT.search(_path_of(part)))}
    if match := _SNAPSHOT.search(name):
        name, commits = f"{match[1]}/{match[2]}", {match[3]}
    if name:
        found["id"] = name
    if len(commits) == 1:
        found["commit"] = commits.pop()
    denoiser = next((part for _, part in denoisers_of(pipeline)), None)
    if denoiser is not None and hasattr(denoiser, "dtype"):
        found["dtype"] = _dtype(denoiser)
    return found


def _vae(pipeline: Any) -> dict[str, Any]:
    """Return the state of the VAE with its dtype, whose path is `vae.dtype` as in a scenario."""
    vae = parts_of(pipeline).get("vae")
    return vae_state(pipeline) | ({"dtype": _dtype(vae)} if hasattr(vae, "dtype") else {})


def _components(pipeline: Any, writer: Writer) -> dict[str, Any]:
    own = str(getattr(pipeline, "config", {}).get("_name_or_path") or "")
    found: dict[str, Any] = {}
    for name, part in parts_of(pipeline).items():
        table: dict[str, Any] = {"class": _class_of(part)}
        path = _path_of(part)
        match = _SNAPSHOT.search(path)
        of = f"{match[1]}/{match[2]}" if match else path
        if of and own and not path.startswith(own) and not (match and of == own):
            table["id"] = of
        if hasattr(part, "named_modules"):
            if name != "vae":
                table["dtype"] = _dtype(part)
            with writer.noting(f"the weights of {name}"):
                table["weights"] = fingerprint(part)
            if quantised := getattr(getattr(part, "config", None), "quantization_config", None):
                table["quantization"] = plain(getattr(quantised, "to_dict", lambda q=quantised: q)())
        found[name] = table
    return found


def parts_of(pipeline: Any) -> dict[str, Any]:
    """Return the parts of a pipeline and of its inner pipelines that are models, tokenizers and the like."""
    found: dict[str, Any] = {}
    for each in pipelines_of(pipeline):
        parts: Mapping[str, Any] = getattr(each, "components", {})
        for name, part in parts.items():
            if part is not None and "scheduler" not in name and not isinstance(part, bool | int | float | str | list):
                found.setdefault(name, part)
    return found


def _path_of(part: Any) -> str:
    config: Any = getattr(part, "config", None)
    named = getattr(part, "name_or_path", None) or getattr(config, "_name_or_path", None)
    return str(named or "").replace("\\", "/")


def _class_of(part: Any) -> str:
    return type(getattr(part, "_orig_mod", part)).__name__


def _dtype(part: Any) -> str:
    return str(part.dtype).removeprefix("torch.")


def _scheduler(pipeline: Any) -> dict[str, Any]:
    scheduler = getattr(pipeline, "scheduler", None)
    if scheduler is None:
        return {}
    config = {name: value for name, value in dict(scheduler.config).items() if not name.startswith("_")}
    return {
        "class": type(scheduler).__name__,
        **{name: plain(value) for name, value in config.items() if is_json(value)},
    }


def _numerics(pipeline: Any) -> dict[str, Any]:
    found = current_numerics()
    found["compile"] = any(map(is_compiled, parts_of(pipeline).values()))
    if freeu := freeu_of(pipeline):
        found["freeu"] = freeu
    if processors := {type(each).__name__ for each in _processors(pipeline)}:
        found["attention_processors"] = sorted(processors)
    if backends := _backends(pipeline):
        used = ", ".join({*backends, _active_backend() or NATIVE})
        found["attention"] = chosen_by(used, ", ".join(map(attention_for, backends)))
    elif chosen := _active_backend():
        found["attention"] = attention_for(chosen)
    return found


def chosen_backend(pipeline: Any) -> str:
    """Return the backend of diffusers' dispatcher that a pipeline uses; empty where it is the usual one."""
    return ", ".join(_backends(pipeline)) or os.environ.get(ATTENTION_BACKEND, "") or _active_backend()


def _processors(pipeline: Any) -> list[Any]:
    """Return the attention processors of the denoisers."""
    found: list[Mapping[str, Any]] = [
        getattr(part, "attn_processors", None) or {} for _, part in denoisers_of(pipeline)
    ]
    return [processor for each in found for processor in each.values()]


def _backends(pipeline: Any) -> list[str]:
    """Return the backends that the processors of the denoisers have been given."""
    given = [getattr(each, "_attention_backend", None) for each in _processors(pipeline)]
    return sorted({str(getattr(each, "value", each)) for each in given if each})


def _active_backend() -> str:
    """Return the backend that the whole process uses, where it is not the usual one."""
    module = sys.modules.get("diffusers.models.attention_dispatch")
    registry: Any = getattr(module, "_AttentionBackendRegistry", None)
    active = getattr(registry, "_active_backend", None)
    name = str(getattr(active, "value", active or ""))
    return "" if name in {"", NATIVE} else name


def _guider(pipeline: Any) -> dict[str, Any]:
    guider = getattr(pipeline, "guider", None)
    if guider is None:
        return {}
    config = {name: plain(value) for name, value in dict(guider.config).items() if not name.startswith("_")}
    return {"class": type(guider).__name__, **config}
