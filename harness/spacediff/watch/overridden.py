"""The one call of a script that is changed and recorded, after which the process ends.

The key insight: what a script does after the call, an upload or the next stage, is not wanted again, and an exception
could be caught by the script. So the call does not return: it is repeated with other settings as long as that is asked
for, and then the process is ended at once, when everything is on the disk.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from ..observer.following import STEPS
from .call import RecordedCall
from .early_end import ENDED, early_end, leave
from .messages import LibraryMessages
from .offered import FILE as OFFERED
from .overriding import FILE, OUTCOME, PASSED, Overriding
from .pipeline_call import PipelineCall
from .refusing import RefusedError
from .repeating import Repeating
from .writing import FINISHED, Writer


class OverriddenCall:
    """Changes and records one call of this process, and ends the process with it.

    Args:
        writer: Writes the recording.
        messages: Collects the warnings of the libraries.
        content: What is put in, as `Overriding` takes it; `hold`, whether the call is to be repeated; `stop`, when it
            ends early, as `early_end` takes it, or null; and `latents`, whether those of all steps are written.
    """

    def __init__(self, writer: Writer, messages: LibraryMessages, content: Mapping[str, Any]) -> None:
        self._writer = writer
        self._messages = messages
        self._content = content
        self._overriding = Overriding(content)
        self._recorded: RecordedCall | None = None
        self._parent = os.getppid()
        self._torch_seed: int | None = None
        self._passed: list[str] = []
        """Calls that were not the chosen one."""
        self._known = 0
        """Number of the messages before the call."""

    @classmethod
    def asked_for(cls, writer: Writer, messages: LibraryMessages) -> OverriddenCall | None:
        """Return the call that the folder of the recording asks for; None where the script is only recorded."""
        file = writer.folder / f"{FILE}.json"
        return cls(writer, messages, json.loads(file.read_text("utf-8"))) if file.is_file() else None

    def watch_torch(self, torch: Any) -> None:
        """Remember the seed that torch has before the script can give it one.

        Args:
            torch: The module.
        """
        self._torch_seed = torch.initial_seed()

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
            with self._writer.noting("a call that is not the chosen one"):
                self._passed.append(f"{number} at {os.path.basename(where['file'])}:{where['line']}")  # noqa: PTH119
                self._writer.write(PASSED, {"calls": self._passed})
            return call.make()
        repeating = None
        if self._content.get("hold"):
            with suppress(Exception):  # then the call is made once
                repeating = Repeating(call, self._writer, self._parent)
        try:
            if self._made(number, call, where, self._writer) and repeating is not None:
                self._repeat(repeating, number, call, where)
        finally:
            _end()
        return None

    def _repeat(self, repeating: Repeating, number: int, call: PipelineCall, where: Mapping[str, Any]) -> None:
        """Make the call again for everything that is asked for, as long as its state can be restored."""
        for writer, content in repeating.asked():
            self._messages.discard_after(self._known)
            if changed := repeating.restore(writer):
                writer.write(OUTCOME, {"unrestored": changed})
                return
            self._content, self._overriding = content, Overriding(content)
            if not self._made(number, call, where, writer):
                return

    def _made(self, number: int, call: PipelineCall, where: Mapping[str, Any], writer: Writer) -> bool:
        """Make the changed call and write what came of it; return whether it was made as far as it was asked for."""
        self._known = len(self._messages.taken()["messages"])
        recorded = RecordedCall(number, writer, self._messages, keep_latents=bool(self._content.get("latents")))
        self._recorded, refused, finished = recorded, {}, False
        ended: dict[str, Any] = {}
        try:
            changed = self._overriding.put_in(call, writer.noting, self._torch_seed)
            outcome, ended = self._follow(changed, recorded, where)
            finished = True
            if not ended:
                self._overriding.refuse_what_waits()
            recorded.end(outcome, ENDED if ended else FINISHED)
        except RefusedError as error:
            refused = {"path": error.path, "reason": error.reason, "hint": error.hint}
            finished = False
        except BaseException as error:  # noqa: BLE001 - even SystemExit: the process ends afterwards
            recorded.end(None, f"{type(error).__name__}: {error}")
        with writer.noting("the end of the changed call"):
            if self._overriding.offered:
                writer.write(OFFERED, self._overriding.offered)
            applied, warnings = self._overriding.applied, self._overriding.warnings
            writer.write(OUTCOME, {"applied": applied, "refused": refused, "warnings": warnings, "ended": ended})
        return finished

    def _follow(
        self, changed: PipelineCall, recorded: RecordedCall, where: Mapping[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """Make the changed call, and return its result; or None and how it differs, where enough was seen.

        What the script makes of the end of its call, such as a result after all, is of no account.
        """
        stop = self._content.get("stop")
        follow, following = early_end(stop, _steps_of(changed)) if stop else (None, None)
        recorded.begin(changed.method, changed.pipeline, changed.args, changed.kwargs, where, follow=follow)
        try:
            result = changed.make()
        except BaseException:
            if follow is None or not follow.ended:
                raise
        if follow is None or following is None or not follow.ended:
            return result, {}
        with suppress(Exception):
            leave(changed.pipeline)
        return None, asdict(following.divergence)

    def inner(self, call: PipelineCall) -> PipelineCall:
        """Return a call that is made inside the changed one, with what waits for it."""
        changed = self._overriding.put_in_inner(call)
        if self._recorded is not None:
            self._recorded.passed(changed.method, changed.pipeline, changed.args, changed.kwargs)
        return changed

    def _is_the_one(self, number: int, call: PipelineCall) -> bool:
        try:
            return self._overriding.chooses(number, call)
        except TypeError:  # the arguments do not fit, which the call itself says better
            return False


def _steps_of(call: PipelineCall) -> Any:
    """Return how many steps a call asks for; None where its arguments do not fit, which it says itself."""
    try:
        return call.given.get(STEPS)
    except TypeError:
        return None


def _end() -> None:
    for child in multiprocessing.active_children():
        child.terminate()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(0)
