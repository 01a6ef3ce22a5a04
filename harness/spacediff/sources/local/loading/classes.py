"""Classes of the installed libraries, looked up by name."""

from __future__ import annotations

import inspect
from typing import Any

from spacediff.errors import UnsupportedSetting, did_you_mean


def pipeline_class(name: str | None) -> Any:
    """Return a pipeline class of the installed diffusers, which may be one of `AutoPipelineFor…` or a modular one.

    Raises:
        UnsupportedSetting: diffusers has no such pipeline.
    """
    import diffusers

    if name is None:
        return diffusers.DiffusionPipeline
    found = getattr(diffusers, name, None)
    kinds = [getattr(diffusers, each) for each in ("DiffusionPipeline", "ModularPipeline") if hasattr(diffusers, each)]
    if isinstance(found, type) and (name.startswith("AutoPipelineFor") or issubclass(found, tuple(kinds))):
        return found
    known = [each for each in dir(diffusers) if "Pipeline" in each]
    raise UnsupportedSetting(
        f"diffusers {diffusers.__version__} has no pipeline class {name!r}{did_you_mean(name, known)}"
    )


def component_class(name: str, component: str) -> Any:
    """Return the class of a component: from diffusers, else from transformers.

    Args:
        name: The name of the class.
        component: The component that it is for, which an error names.

    Raises:
        UnsupportedSetting: Neither library has such a class, or nothing can be loaded with it.
    """
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        found = getattr(library, name, None)
        if inspect.isclass(found) and hasattr(found, "from_pretrained"):
            return found
    known = [each for library in (diffusers, transformers) for each in dir(library) if each[:1].isupper()]
    raise UnsupportedSetting(
        f"components.{component}.class: neither diffusers {diffusers.__version__} nor transformers "
        f"{transformers.__version__} has a class {name!r} that can be loaded{did_you_mean(name, known)}"
    )
