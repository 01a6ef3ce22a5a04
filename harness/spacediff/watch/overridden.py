"""The one call of a script that is changed and recorded, after which the process ends.

The key insight: what a script does after the call, an upload or the next stage, is not wanted again, and an exception
could be caught by the script. So the process is ended at once, when everything of the call is on the disk.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .call import RecordedCall
from .messages import LibraryMessages
from .offered import FILE as OFFERED
from .overriding import FILE, OUTCOME, Overriding
from .pipeline_call import PipelineCall
from .refusing import RefusedError
from .writing import Writer


class OverriddenCall:
    """Changes and records one call of this process, and ends the process with it.

    Args:
        writer: Writes the recording.
        messages: Collects the warnings of the libraries.
        content: What is put in, as `Overriding` takes it.
    """

    def __init__(self, writer: Writer, messages: LibraryMessages, content: Mapping[str, Any]) -> None:
        self._writer = writer
        self._messages = messages
        self._overriding = Overriding(content)

    @classmethod
    def asked_for(cls, writer: Writer, messages: LibraryMessages) -> OverriddenCall | None:
        """Return the call that the folder of the recording asks for; None where the script is only recorded."""
        file = writer.folder / f"{FILE}.json"
        return cls(writer, messages, json.loads(file.read_text("utf-8"))) if file.is_file() else None

    def watch_pipelines(self, base: type) -> None:
        """Put in what acts when pipelines are loaded and placed.

        Args:
            base: `DiffusionPipeline`.
        """
        self._overriding.loading.watch(base)

    def watch_models(self, base: type) -> None:
        """Put in what acts when models are loaded by themselves.

        Args:
            base: `ModelMixin`.
        """
        self._overriding.loading.watch_models(base)

    def called(self, number: int, call: PipelineCall, where: Mapping[str, Any]) -> Any:
        """Make a call as the script does, or the changed one, which does not return.

        Args:
            number: Number of the call.
            call: The call.
            where: File and line of the code that called.
        """
        if not self._is_the_one(number, call):
            return call.make()
        recorded, refused = RecordedCall(number, self._writer, self._messages), {}
        try:
            changed = self._overriding.put_in(call, self._writer.noting)
            recorded.begin(changed.method, changed.pipeline, changed.args, changed.kwargs, where)
            result = changed.make()
            self._overriding.refuse_what_waits()
            recorded.end(result, "finished")
        except RefusedError as error:
            refused = {"path": error.path, "reason": error.reason}
        except BaseException as error:  # noqa: BLE001 - even SystemExit: the process ends below
            recorded.end(None, f"{type(error).__name__}: {error}")
        finally:
            self._end(refused)
        return None

    def inner(self, call: PipelineCall) -> PipelineCall:
        """Return a call that is made inside the changed one, with what waits for it."""
        return self._overriding.put_in_inner(call)

    def _is_the_one(self, number: int, call: PipelineCall) -> bool:
        try:
            return self._overriding.chooses(number, call)
        except TypeError:  # the arguments do not fit, which the call itself says better
            return False

    def _end(self, refused: Mapping[str, str]) -> None:
        with self._writer.noting("the end of the changed call"):
            self._writer.write(OUTCOME, {"applied": self._overriding.applied, "refused": refused})
            if self._overriding.offered:
                self._writer.write(OFFERED, self._overriding.offered)
        for child in multiprocessing.active_children():
            child.terminate()
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(0)
