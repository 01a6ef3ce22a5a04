"""The values of `numerics.attention`: torch's kernels, and the backends of diffusers' attention dispatcher.

The key insight: `flash` names two things. torch's own kernel acts on every module of a pipeline, text encoders
included; the dispatcher's `flash` is the package flash-attn, in the denoiser alone. So torch's four kernels have their
plain names, and a backend that has the name of one is written with a prefix: `diffusers:flash`.
"""

from __future__ import annotations

import re

KERNELS = ("math", "flash", "efficient", "cudnn")
"""Kernels of torch's scaled dot product attention, by the names that a scenario gives them."""
PREFIX = "diffusers:"
"""Marks a backend of the dispatcher; needed for those that have the name of a kernel of torch, or a new name."""
_KNOWN = r"_?(native|flex|flash|sage|xformers|aiter)(_[a-z0-9_]+)?"
"""Names of backends that need no prefix; installed versions of diffusers have more or fewer of them."""
PATTERN = rf"^({'|'.join(KERNELS)}|{_KNOWN}|{PREFIX}[a-z0-9_]+)$"
EXAMPLES = (*KERNELS, "native", "_native_math", "_native_flash", "flex", "sage", "xformers", f"{PREFIX}flash")


def backend_of(attention: str) -> str | None:
    """Return the dispatcher's name of a value of `numerics.attention`; None if it is a kernel of torch."""
    return None if attention in KERNELS else attention.removeprefix(PREFIX)


def attention_for(backend: str) -> str:
    """Return the value of `numerics.attention` for a backend of the dispatcher: with the prefix where it needs one."""
    plain = backend not in KERNELS and re.fullmatch(_KNOWN, backend)
    return backend if plain else f"{PREFIX}{backend}"


def one_spelling(attention: str) -> str:
    """Return a value of `numerics.attention` without a prefix that it does not need: one backend, one value."""
    return attention_for(attention.removeprefix(PREFIX)) if attention.startswith(PREFIX) else attention
