"""Quantisation of components at loading, by the backends of the installed diffusers and transformers."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

from spacediff.errors import UnsupportedSetting, failure
from spacediff.sources.local.known_names import ensure_known

GGUF = "gguf"
_TORCHAO = "torchao"
_NONE = "none"
_PACKAGES = {
    "bitsandbytes_4bit": "bitsandbytes",
    "bitsandbytes_8bit": "bitsandbytes",
    GGUF: "gguf",
    "modelopt": "modelopt",
    "quanto": "optimum.quanto",
    "sdnq": "sdnq",
    _TORCHAO: "torchao",
}
"""Backend to the package that it needs."""
_FLAGS = {"bitsandbytes_4bit": {"load_in_4bit": True}, "bitsandbytes_8bit": {"load_in_8bit": True}}
"""What a backend's class does not know by itself: one class serves both."""


def refuse_missing_backend(component: str, declared: Mapping[str, Any]) -> None:
    """Refuse a quantisation whose package is not installed, before anything is loaded.

    Args:
        component: The name of the component.
        declared: Its settings.

    Raises:
        UnsupportedSetting: The package is missing.
    """
    backend = _declared(declared).get("backend") or (GGUF if is_gguf(declared.get("file")) else "")
    package = _PACKAGES.get(backend, "")
    if package and not _is_installed(package):
        raise UnsupportedSetting(
            f"components.{component} needs the package {package}, which is not installed, for {backend}",
            hint=f"pip install {package.replace('.', '-')}",
        )


def is_gguf(file: object) -> bool:
    """Whether the name of a weight file is that of a GGUF file."""
    return str(file).endswith(".gguf")


def quantisation(component: str, kind: Any, declared: Mapping[str, Any], dtype: Any) -> dict[str, Any]:
    """Return the argument that says the quantisation of a component; none if it is loaded as it is.

    Args:
        component: The name of the component.
        kind: Its class.
        declared: Its settings.
        dtype: The dtype in which a GGUF file's weights are computed with; None for the library's default.

    Raises:
        UnsupportedSetting: The library of the class has no such backend, or the backend refuses its options.
    """
    import diffusers

    if is_gguf(declared.get("file")):
        return {
            "quantization_config": diffusers.GGUFQuantizationConfig(
                **({} if dtype is None else {"compute_dtype": dtype})
            )
        }
    options = _declared(declared)
    if not options:
        return {}
    backend = options.pop("backend", "")
    known = _backends(kind)
    library = kind.__module__.partition(".")[0]
    ensure_known(backend, sorted(known), f"components.{component}.quantization: {library} has no backend {backend!r}")
    if backend == _TORCHAO:
        options |= _torchao_recipe(component, options.get("quant_type"))
    try:
        return {"quantization_config": known[backend](**_FLAGS.get(backend, {}), **options)}
    except Exception as error:
        raise UnsupportedSetting(
            f"components.{component}.quantization: {backend} refuses it: {failure(error)}"
        ) from error


def _torchao_recipe(component: str, given: Any) -> dict[str, Any]:
    """Return torchao's recipe as the object that it is; nothing where older libraries took a name such as `int8wo`.

    Source: docs.pytorch.org/ao, "Quantization API": `quantize_` takes an `AOBaseConfig`.

    Args:
        component: The name of the component.
        given: The name of the class, or a table with it and its arguments.

    Raises:
        UnsupportedSetting: torchao has no such recipe, or it refuses an argument.
    """
    arguments = dict(given) if isinstance(given, Mapping) else {"class": given}
    name = str(arguments.pop("class", ""))
    if not isinstance(given, Mapping) and not name.endswith("Config"):
        return {}
    base = importlib.import_module("torchao.core.config").AOBaseConfig
    classes = vars(importlib.import_module("torchao.quantization"))
    recipes = {each: kind for each, kind in classes.items() if isinstance(kind, type) and issubclass(kind, base)}
    ensure_known(name, sorted(recipes), f"components.{component}.quantization: torchao has no recipe {name!r}")
    try:
        return {"quant_type": recipes[name](**arguments)}
    except Exception as error:
        raise UnsupportedSetting(f"components.{component}.quantization: {name} refuses it: {failure(error)}") from error


def _declared(component: Mapping[str, Any]) -> dict[str, Any]:
    """Return the backend and options of a component; empty if it is loaded as it is."""
    declared = component.get("quantization", _NONE)
    return {} if declared == _NONE else dict(declared)


def _backends(kind: Any) -> Mapping[str, Any]:
    """Return the quantisation classes of the library that a component's class belongs to, by backend."""
    if kind.__module__.startswith("transformers."):
        from transformers.quantizers.auto import AUTO_QUANTIZATION_CONFIG_MAPPING as IN_TRANSFORMERS

        return dict(IN_TRANSFORMERS)
    from diffusers.quantizers.auto import AUTO_QUANTIZATION_CONFIG_MAPPING as IN_DIFFUSERS

    return dict(IN_DIFFUSERS)


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # its parent is missing
        return False
