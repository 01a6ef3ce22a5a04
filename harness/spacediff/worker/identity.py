"""The identity of a run: a hash of everything that determines its clip, the machine included."""

from __future__ import annotations

from collections.abc import Mapping

from spacediff.environment import (
    OF_ATTENTION,
    OF_INPUTS,
    OF_LORAS,
    OF_PROMPTS,
    OF_QUANTISED,
    OF_SOME_RUNS,
    determining,
)
from spacediff.environments.locking import identity_of
from spacediff.run import Run
from spacediff.settings import Settings
from spacediff.sources.hosted import TINY_SPACES
from spacediff.sources.local.stamps import stamp, stamp_of
from spacediff.tiny.checkpoint import BUILTIN


def key_of(run: Run, environment: Mapping[str, str]) -> str:
    """Return the identity of a run.

    Args:
        run: The run.
        environment: The environment of the machine that generates it, from `environment()`.
    """
    served = TINY_SPACES.get(str(run.request.get("id")))
    files = stamp(served) if served else stamp_of(run.settings)
    if run.fed_by is not None and (feeding := stamp_of(run.fed_by)) != files:
        files = f"{files} {feeding}"
    used = {name: environment[name] for name in _packages_of(run) if name in environment}
    if run.source == "diffusers" and (elsewhere := identity_of(run.settings)):
        used["locked"] = elsewhere
    return run.key(determining(dict(environment)) | used | {"checkpoint": files if run.made_here else ""})


def _packages_of(run: Run) -> list[str]:
    """Return the packages that determine the clips of some runs only, so that the others keep their identity.

    Only the pipeline shows whether it cleans prompts, and it is not loaded yet: of spacediff's own, none does.
    """
    both = [run.settings, *([run.fed_by] if run.fed_by is not None else [])]
    if run.source == "script":  # whatever it may use
        return list(OF_SOME_RUNS)
    checkpoints = {each.value("model.id") for each in both} - {None, *BUILTIN}
    return [
        *(OF_PROMPTS if checkpoints else ()),
        *(OF_LORAS if any(each.table("lora") for each in both) else ()),
        *(OF_INPUTS if run.prompt.inputs else ()),
        *(OF_ATTENTION if any(map(_dispatches_attention, both)) else ()),
        *(OF_QUANTISED if any(map(_is_quantised, both)) else ()),
    ]


def _dispatches_attention(settings: Settings) -> bool:
    return str(settings.value("numerics.attention", "")).startswith("diffusers:")


def _is_quantised(settings: Settings) -> bool:
    return any(
        ".quantization" in path or (path.endswith(".file") and str(setting.value).endswith(".gguf"))
        for path, setting in settings.items()
        if path.startswith(("components.", "load."))
    )
