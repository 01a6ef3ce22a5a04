"""What the code of a script needs to know of values and classes: dtypes, texts, and where a class is imported from."""

from __future__ import annotations

import functools
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DTYPES = frozenset({"float32", "bfloat16", "float16", "float64", "float8_e4m3fn", "float8_e5m2"})
_OF_TRANSFORMERS = frozenset({
    "CLIPImageProcessor", "CLIPTextModel", "CLIPTextModelWithProjection", "CLIPTokenizer", "CLIPVisionModel",
    "CLIPVisionModelWithProjection", "LlamaForCausalLM", "LlamaModel", "Qwen2_5_VLForConditionalGeneration",
    "T5EncoderModel", "T5Tokenizer", "T5TokenizerFast", "UMT5EncoderModel",
})  # fmt: skip
"""Classes of transformers that are parts of pipelines."""


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
