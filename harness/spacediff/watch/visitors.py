"""Records the pipeline calls of a Gradio app, each into the folder of the event that it is part of.

The key insight is how a call is known to be a visitor's. ZeroGPU forks a worker during one visitor's event and uses it
again for the next visitor; of Gradio's context it hands over the id of the event, and not the request, which stays that
of the first visitor (`GradioPartialContext` and `thread_wrapper` of the package `spaces`). So the id decides. A process
that anything else has forked may have an old one; its calls are not recorded, and neither are those of a thread that
the app starts, which has none.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from .imports import AfterImport
from .messages import LibraryMessages
from .recorder import Recorder
from .writing import Writer

MOST_CALLS = 16
"""Of an event; of more, the last ones are kept."""
_PIPELINES = "diffusers.pipelines.pipeline_utils"
_MODULAR_PIPELINES = "diffusers.modular_pipelines.modular_pipeline"


def folder_of(root: Path, event: str) -> Path:
    """Return the folder of an event; its id may come from a visitor, so it is no part of the path."""
    return root / hashlib.sha256(event.encode()).hexdigest()[:32]


class VisitorRecorder(Recorder):
    """Records calls of pipelines for the visitors of an app, without frames and without messages of libraries.

    The messages are those of all visitors, and some quote a prompt.

    Args:
        root: The folder of the events' folders.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(Writer(root), "{}", keep_frames=False)
        self._root = root
        self._messages = _NoMessages()

    def watch(self) -> None:
        """Begin to record, also the pipelines that the app has made already."""
        self._process = os.getpid()
        AfterImport(
            {_PIPELINES: self._watch_all, _MODULAR_PIPELINES: self._watch_modular_pipelines}, self._writer.noting
        ).install()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_in_child)

    def _watch_all(self, module: Any) -> None:
        self._watch_pipelines(module)
        waiting = [module.DiffusionPipeline]
        while waiting:
            kind = waiting.pop()
            self._watch_class(kind)
            waiting += kind.__subclasses__()

    def _begin_in_child(self) -> None:
        self._one_at_a_time = threading.Lock()  # another thread may have held it as the process was forked
        self._recording_in = self._call = None

    def _is_anothers(self) -> bool:
        return not self._event()

    def _writer_now(self) -> Writer:
        folder = folder_of(self._root, self._event())
        numbers = sorted(int(each.name) for each in (folder / "calls").glob("*") if each.name.isdecimal())
        for number in numbers[: max(0, len(numbers) + 1 - MOST_CALLS)]:
            shutil.rmtree(folder / "calls" / str(number), ignore_errors=True)
        with suppress(OSError):  # a full disk, which the writer meets again and survives
            folder.mkdir(exist_ok=True)
        writer = Writer(folder)
        writer.call = numbers[-1] if numbers else 0
        return writer

    def _event(self) -> str:
        """Return the id of the event of this call; empty where it is not sure whose event it is."""
        inherits: bool = getattr(sys.flags, "thread_inherit_context", False)  # a pool's threads have an old context
        if inherits or (os.getpid() != self._process and not _is_of_zerogpu()):
            return ""
        context: Any = getattr(sys.modules.get("gradio.context"), "LocalContext", None)
        found = context.event_id.get(None) if hasattr(context, "event_id") else None
        return found if isinstance(found, str) else ""


class _NoMessages(LibraryMessages):
    def listen(self) -> None:
        pass


def _is_of_zerogpu() -> bool:
    """Whether this process is a worker of ZeroGPU, which sets the event of each of its calls."""
    return getattr(sys.modules.get("spaces.zero.wrappers"), "forked", False) is True
