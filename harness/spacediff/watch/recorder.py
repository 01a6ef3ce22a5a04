"""Records the pipeline calls of a script: what is installed at its start, and what a call goes through.

The key insight: whatever a script does with a pipeline, it calls it, and Python looks `__call__` up in the class. So
the classes are wrapped when the first pipeline of each is made, and nothing of a pipeline is changed between calls.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from .call import RecordedCall
from .imports import AfterImport
from .messages import LibraryMessages
from .overridden import OverriddenCall
from .pipeline_call import PipelineCall
from .tensors import KeptTensors
from .tracebacks import leave_out_of_tracebacks
from .writing import FINISHED, MOST_TENSOR_BYTES, Writer
from .written import Written


class Recorder:
    """Records the calls of pipelines in this process.

    Args:
        writer: Writes the recording.
        options: JSON with `call`, the number of the only call that is recorded, or null for all; and `tensors`, the
            numbers of the steps whose latents are kept, an empty list for a few of them, or null for no tensors.
        keep_frames: Whether the frames are written too.
    """

    def __init__(self, writer: Writer, options: str, *, keep_frames: bool = True) -> None:
        self._writer = writer
        asked = json.loads(options)
        self._only: int | None = asked.get("call")
        self._tensors_of: list[int] | None = asked.get("tensors")
        self._room = MOST_TENSOR_BYTES
        self._keep_frames = keep_frames
        self._messages = LibraryMessages()
        self._one_at_a_time = threading.Lock()
        self._recording_in: int | None = None
        """The thread whose call is recorded."""
        self._call: RecordedCall | None = None
        """That call."""
        self._process = 0
        self._changed = OverriddenCall.asked_for(writer, self._messages)

    def install(self, here: Path) -> None:
        """Begin to record.

        Args:
            here: The folder of this code, whose frames are left out of tracebacks.
        """
        self._process = os.getpid()
        self._writer.write("process", {"python": sys.version, "argv": sys.argv[1:]})
        written = Written(self._writer)
        AfterImport(
            {
                "torch": self._watch_torch,
                "diffusers.pipelines.pipeline_utils": self._watch_pipelines,
                "diffusers.modular_pipelines.modular_pipeline": self._watch_modular_pipelines,
                "diffusers.models.modeling_utils": self._watch_models,
                "diffusers.utils.export_utils": written.watch_exports,
                "PIL.Image": written.watch_pictures,
            },
            self._writer.noting,
        ).install()
        leave_out_of_tracebacks(here)

    def _watch_torch(self, module: ModuleType) -> None:
        if self._changed is not None:
            self._changed.watch_torch(module)

    def _watch_pipelines(self, module: ModuleType) -> None:
        self._messages.listen()
        base = module.DiffusionPipeline
        register = base.register_modules

        @functools.wraps(register)
        def registering(pipeline: Any, **kwargs: Any) -> None:
            with self._writer.noting("watching a pipeline"):
                for kind in type(pipeline).__mro__:
                    if issubclass(kind, base):
                        self._watch_class(kind)
            register(pipeline, **kwargs)

        base.register_modules = registering
        if self._changed is not None:
            self._changed.watch_pipelines(base)

    def _watch_models(self, module: ModuleType) -> None:
        if self._changed is not None:
            self._changed.watch_models(module.ModelMixin)

    def _watch_modular_pipelines(self, module: ModuleType) -> None:
        self._watch_class(module.ModularPipeline)

    def _watch_class(self, kind: type) -> None:
        call: Any = vars(kind).get("__call__")
        if callable(call) and not hasattr(call, "__spacediff__"):
            setattr(kind, "__call__", self._watched(call))  # noqa: B010 - mypy takes no other assignment to a method

    def _watched(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def watched(pipeline: Any, *args: Any, **kwargs: Any) -> Any:
            if self._recording_in == threading.get_ident():
                return self._inner(PipelineCall(call, pipeline, args, kwargs)).make()
            if self._is_anothers():
                return call(pipeline, *args, **kwargs)
            if not self._one_at_a_time.acquire(blocking=False):
                self._writer_now().note(RuntimeError("that of another thread was"), "a call that was not recorded")
                return call(pipeline, *args, **kwargs)
            self._recording_in = threading.get_ident()
            try:
                return self._recorded(call, pipeline, args, kwargs)
            finally:
                self._recording_in = self._call = None
                self._one_at_a_time.release()

        watched.__spacediff__ = True  # type: ignore[attr-defined]
        return watched

    def _inner(self, call: PipelineCall) -> PipelineCall:
        """Return a call that is made inside the recorded one, changed where the script is the baseline."""
        if self._changed is not None:
            return self._changed.inner(call)
        if self._call is not None:
            self._call.passed(call.method, call.pipeline, call.args, call.kwargs)
        return call

    def _is_anothers(self) -> bool:
        """Whether a call that is made now is not to be recorded: one in a process that the script has forked."""
        return os.getpid() != self._process

    def _writer_now(self) -> Writer:
        """Return what writes the call that is made now. Nothing may fail in here: the script would notice."""
        return self._writer

    def _recorded(self, call: Callable[..., Any], pipeline: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        writer = self._writer_now()
        number = writer.call = writer.call + 1
        if self._changed is not None:
            return self._changed.called(number, PipelineCall(call, pipeline, args, kwargs), _caller())
        if self._only is not None and number != self._only:
            return call(pipeline, *args, **kwargs)
        steps = self._tensors_of
        tensors = None if steps is None else KeptTensors(steps, pipeline, self._room)
        recorded = RecordedCall(number, writer, self._messages, tensors, keep_frames=self._keep_frames)
        recorded.begin(call, pipeline, args, kwargs, _caller())
        self._call = recorded
        try:
            result = call(pipeline, *args, **kwargs)
        except BaseException as error:
            recorded.end(None, f"{type(error).__name__}: {error}")
            raise
        recorded.end(result, FINISHED)
        self._room -= tensors.bytes if tensors else 0
        return result


def _caller() -> dict[str, Any]:
    """Return file and line of the code that called the pipeline."""
    frame: Any = sys._getframe(1)  # noqa: SLF001 - CPython's way to the caller
    while frame is not None and frame.f_globals.get("__package__") == __package__:
        frame = frame.f_back
    return {} if frame is None else {"file": frame.f_code.co_filename, "line": frame.f_lineno}
