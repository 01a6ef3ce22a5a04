"""Optional packages that change results: diffusers cleans prompts with `ftfy` where it is installed, and says nothing.

The key insight: a pipeline's module imports `is_ftfy_available` where it asks for the package.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from .structure import blocks_of

PACKAGES = ("ftfy", "bs4")
"""By the names under which they are imported."""


def optional_packages(pipeline: Any) -> dict[str, bool]:
    """Return the optional packages that a pipeline asks for, and whether each is installed."""
    found: dict[str, bool] = {}
    for module in modules_of_code(pipeline):
        for name in PACKAGES:
            asks: Callable[[], bool] | None = getattr(module, f"is_{name}_available", None)
            if asks is not None:
                found[name] = bool(asks())
    return found


def modules_of_code(pipeline: Any) -> Iterator[ModuleType]:
    """Yield the modules of diffusers with the classes of a pipeline, and with the blocks of a modular one."""
    classes = [*type(pipeline).__mro__, *(type(block) for block in blocks_of(pipeline))]
    for name in dict.fromkeys(each.__module__ for each in classes):
        if name.startswith("diffusers.") and name in sys.modules:
            yield sys.modules[name]
