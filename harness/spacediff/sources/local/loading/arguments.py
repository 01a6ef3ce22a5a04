"""Arguments of `from_pretrained`: those that it ignores, and those that only look as if it took them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spacediff.errors import UnsupportedSetting
from spacediff.record import Ignored
from spacediff.scenario.owned import OF_COMPONENTS
from spacediff.sources.local.library_warnings import warnings_of_libraries
from spacediff.sources.local.loading.checkpoint import Checkpoint
from spacediff.sources.local.loading.index import index_of


def refuse_components_as_arguments(folder: Path, arguments: Mapping[str, Any]) -> None:
    """Refuse a value for a component: diffusers takes loaded ones there, and some pipelines ignore any other value.

    Args:
        folder: The checkpoint, whose index names the components.
        arguments: The declared arguments; None leaves a component out.

    Raises:
        UnsupportedSetting: An argument is a component of the pipeline.
    """
    components = index_of(folder)
    for name, value in arguments.items():
        if value is not None and isinstance(components.get(name), list):
            raise UnsupportedSetting(f"load.{name}: {OF_COMPONENTS.format(name=name)}")


def ignored_arguments(checkpoint: Checkpoint, arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the arguments that loading a checkpoint again would ignore; none if it would fail with them.

    With the loaded components, `from_pretrained` checks its arguments without reading the weights.
    """
    with warnings_of_libraries() as messages:
        try:
            type(checkpoint.pipeline).from_pretrained(
                checkpoint.folder, **dict(checkpoint.pipeline.components), **arguments
            )
        except Exception:  # noqa: BLE001 - then the arguments have an effect, and a real load shows which
            return ()
    return ignored_names(messages, arguments)


def ignored_names(messages: Sequence[str], arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the arguments that a library said it ignores."""
    warned = [message for message in messages if "will be ignored" in message]
    return tuple(name for name in arguments if any(repr(name) in message for message in warned))


def as_records(asked: Mapping[str, Any], ignored: Sequence[str], checkpoint: Checkpoint) -> tuple[Ignored, ...]:
    """Return the records of ignored arguments, with where they belong."""
    pipeline = type(checkpoint.pipeline)
    in_call = inspect.signature(pipeline.__call__).parameters
    return tuple(
        Ignored(
            argument=f"load.{name}",
            value=asked[name],
            given_to=f"{pipeline.__name__}.from_pretrained",
            advice=f"{name} is an argument of the call: set call.{name}" if name in in_call else "",
        )
        for name in ignored
        if name in asked
    )
