"""The backend of diffusers' attention dispatcher: set as a script sets it, for one run, and restored.

`set_attention_backend` of a model notes the backend in its attention processors, and also makes it the default of the
whole process, which other models then use. So the default is put back when the run is over, however it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from spacediff.errors import UnsupportedSetting, failure
from spacediff.observer.attention_names import backend_of
from spacediff.observer.dispatcher import asks_the_dispatcher, backends_known, registry
from spacediff.settings import Settings
from spacediff.sources.local.known_names import ensure_known
from spacediff.sources.local.library_warnings import warnings_of_libraries
from spacediff.sources.local.weights import modules_of


@contextmanager
def dispatched_attention(pipeline: Any, settings: Settings) -> Iterator[None]:
    """Make the models of a pipeline use the declared backend inside the block, and restore the process afterwards.

    Args:
        pipeline: The pipeline of the run, which nothing else uses.
        settings: The declared Settings; a kernel of torch in `numerics.attention` is left to torch's own switch.

    Raises:
        UnsupportedSetting: diffusers has no such backend, a package that it needs is missing, or no model of the
            pipeline asks the dispatcher.
    """
    attention = settings.value("numerics.attention")
    backend = None if attention is None else backend_of(attention)
    if backend is None:
        yield
        return
    table = _registry(backend)
    before = table._active_backend  # noqa: SLF001 - the dispatcher has no other access
    models: list[Any] = [model for _, model in modules_of(pipeline) if asks_the_dispatcher(model)]
    if not models:
        raise UnsupportedSetting(
            f"numerics.attention = {attention!r} has no effect: no model of {type(pipeline).__name__} asks diffusers' "
            "attention dispatcher",
            hint="its attention calls torch directly: choose a kernel of torch, such as 'math'",
        )
    try:
        with warnings_of_libraries():  # that backends are experimental, once for every model
            for model in models:
                model.set_attention_backend(backend)
    except Exception as error:
        table.set_active_backend(before)
        raise UnsupportedSetting(f"numerics.attention = {attention!r} cannot be used here: {failure(error)}") from error
    try:
        yield
    finally:
        table.set_active_backend(before)


def _registry(backend: str) -> Any:
    """Return diffusers' table of backends, which has to know this one."""
    import diffusers

    found = registry()
    if found is None:
        raise UnsupportedSetting(
            f"diffusers {diffusers.__version__} has no attention dispatcher, and so no backend {backend!r}"
        )
    ensure_known(backend, backends_known(), f"diffusers {diffusers.__version__} has no attention backend {backend!r}")
    return found
