"""The probe of a Gradio app: records the pipeline calls of each event, and offers a visitor the recording of the last.

A call may run in a worker that ZeroGPU has forked, so it is handed over by file: into the folder of its event, which is
emptied into memory as soon as the event has ended. Nothing in here may fail where the app or a visitor would notice.
"""

from __future__ import annotations

import atexit
import base64
import functools
import inspect
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from .packing import packed
from .sessions import KEPT_SECONDS, LastRecordings
from .visitors import VisitorRecorder, folder_of

ENDPOINT = "spacediff_recording"
"""API name of the endpoint that returns the last recording of the caller's session, once."""
_SWEEP_SECONDS = 5.0


def attach(app: Any, version: str) -> None:
    """Record the pipeline calls of an app from now on, and add the endpoint to it.

    Args:
        app: The app (`gradio.Blocks`), complete and not launched yet.
        version: The version of spacediff that this code is of.
    """
    if hasattr(app.call_function, "__spacediff__"):
        return
    root = Path(tempfile.mkdtemp(prefix="spacediff-probe-"))  # only its owner may read it
    atexit.register(_remove, root, os.getpid())
    events = Events(root, version)
    events.follow(app)
    _offer(app, events.sessions)
    VisitorRecorder(root).watch()
    threading.Thread(target=_sweep, args=(events,), daemon=True).start()


class Events:
    """The events of an app: whose they are, and what was recorded during each.

    Args:
        root: The folder of the events' folders.
        version: The version of spacediff that this code is of.
    """

    def __init__(self, root: Path, version: str) -> None:
        self.sessions = LastRecordings()
        self._root = root
        self._version = version
        self._running: dict[str, int] = {}

    def follow(self, app: Any) -> None:
        """Be informed of the end of each event, by the method through which Gradio calls all functions of an app."""
        call = app.call_function
        signature = inspect.signature(call)

        @functools.wraps(call)
        async def following(*args: Any, **kwargs: Any) -> Any:
            event, session = _whose(signature, args, kwargs)
            self._begin(event)
            try:
                return await call(*args, **kwargs)
            finally:
                self._end(event, session)

        following.__spacediff__ = True  # type: ignore[attr-defined]
        app.call_function = following

    def sweep(self) -> None:
        """Delete what has expired, and what workers that were killed have left."""
        self.sessions.expire()
        oldest = time.time() - KEPT_SECONDS
        running = {folder_of(self._root, event) for event in list(self._running)}
        for folder in set(self._root.glob("*")) - running:
            try:
                expired = folder.stat().st_mtime < oldest
            except OSError:  # another has removed it
                continue
            if expired:
                shutil.rmtree(folder, ignore_errors=True)

    def _begin(self, event: str) -> None:
        self._running[event] = self._running.get(event, 0) + 1

    def _end(self, event: str, session: str) -> None:
        """Move the recording of an event to the session that it belongs to."""
        self._running[event] -= 1
        if not self._running[event]:
            del self._running[event]
        folder = folder_of(self._root, event)
        try:
            if folder.is_dir() and (found := packed(folder, self._version)):
                shutil.rmtree(folder, ignore_errors=True)
                if session:
                    self.sessions.keep(session, found)
        except Exception:  # noqa: BLE001 - the visitor's event goes on; the folder is swept later
            return


def _whose(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, str]:
    """Return the event and the session that Gradio calls a function for; empty where there is none, or many."""
    try:
        given = signature.bind(*args, **kwargs).arguments
    except TypeError:  # which the call is about to raise
        return "", ""
    event, session = given.get("event_id"), getattr(given.get("requests"), "session_hash", None)
    return event if isinstance(event, str) else "", session if isinstance(session, str) else ""


def _offer(app: Any, sessions: LastRecordings) -> None:
    """Add the endpoint, without a visible part and without leaving the block that the app was built in."""
    import gradio
    from gradio.context import Context, LocalContext

    def last_recording() -> dict[str, str]:
        request = LocalContext.request.get(None)
        session = getattr(request, "session_hash", None)
        found = sessions.taken(session) if isinstance(session, str) else b""
        return {"recording": base64.b64encode(found).decode()}

    before = Context.root_block, Context.block
    Context.root_block = Context.block = app  # `with app` would attach its load events a second time
    try:
        answer = gradio.JSON(visible=False)
        gradio.Button(visible=False).click(last_recording, None, answer, api_name=ENDPOINT, queue=False)
    finally:
        Context.root_block, Context.block = before
    app.config = app.get_config_file()


def _sweep(events: Events) -> None:
    while True:
        time.sleep(_SWEEP_SECONDS)
        events.sweep()


def _remove(root: Path, process: int) -> None:
    if os.getpid() == process:  # a forked worker ends before the app does
        shutil.rmtree(root, ignore_errors=True)
