"""Values of settings as Python code, where they are constants; a description of a value is never code."""

from __future__ import annotations

import functools
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from spacediff.settings import is_plain

DTYPES = frozenset({"float32", "bfloat16", "float16", "float64", "float8_e4m3fn", "float8_e5m2"})
_OF_TRANSFORMERS = frozenset({
    "CLIPImageProcessor", "CLIPTextModel", "CLIPTextModelWithProjection", "CLIPTokenizer", "CLIPVisionModel",
    "CLIPVisionModelWithProjection", "LlamaForCausalLM", "LlamaModel", "Qwen2_5_VLForConditionalGeneration",
    "T5EncoderModel", "T5Tokenizer", "T5TokenizerFast", "UMT5EncoderModel",
})  # fmt: skip
"""Classes of transformers that are parts of pipelines."""


def as_code(value: Any) -> str:
    """Return a constant as Python code; empty if it has a value that code cannot show."""
    if value is None:
        return "None"
    if isinstance(value, str | int | float):
        is_text = isinstance(value, str) and value.isprintable()
        code = json.dumps(value, ensure_ascii=False) if is_text else repr(value)
        return code if is_plain(value) else ""
    if isinstance(value, list | tuple):
        return _sequence(value)
    return _table(value) if isinstance(value, dict) else ""


def _table(value: dict[Any, Any]) -> str:
    items = [(as_code(key), as_code(item)) for key, item in value.items() if isinstance(key, str)]
    is_whole = len(items) == len(value) and all(key and item for key, item in items)
    return "{" + ", ".join(f"{key}: {item}" for key, item in items) + "}" if is_whole else ""


def _sequence(value: list[Any] | tuple[Any, ...]) -> str:
    items = [as_code(item) for item in value]
    if not all(items):
        return ""
    if isinstance(value, tuple):
        return f"({', '.join(items)}{',' * (len(items) == 1)})"
    return f"[{', '.join(items)}]"


def has_text(value: Any) -> bool:
    """Return whether a value is a text or holds one."""
    if isinstance(value, dict):
        return any(map(has_text, value.values()))
    return isinstance(value, str) or (isinstance(value, list | tuple) and any(map(has_text, value)))


def library_of(name: str) -> str:
    """Return the library that a class is imported from, `diffusers` or `transformers`; empty if neither has it."""
    if name in _OF_TRANSFORMERS:
        return "transformers"
    return "diffusers" if name.isidentifier() and f'"{name}"' in _exports() else ""


@functools.cache
def _exports() -> str:
    """Return the text of diffusers' main module, which names what can be imported from it."""
    package = find_spec("diffusers")
    return Path(package.origin).read_text("utf-8") if package is not None and package.origin else ""
