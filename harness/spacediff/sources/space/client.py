"""The connection to a Space: look it up, connect, follow the job, and cancel it on an interrupt or a timeout.

This is the only module that imports gradio_client.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from spacediff.errors import (
    DeadlineExceeded,
    SpaceBroken,
    SpaceNotFound,
    SpacePaused,
    SpaceSleeping,
    SpaceStarting,
    SpaceUnavailable,
)
from spacediff.hub.files import facts_of
from spacediff.hub.space_errors import plain
from spacediff.progress import Progress
from spacediff.sources.space.answers import SILENCE_SECONDS, on_loopback
from spacediff.sources.space.request import SpaceRequest

POLL_SECONDS = 0.2
CANCEL_SECONDS = 5.0


@contextlib.contextmanager
def connected(request: SpaceRequest) -> Iterator[tuple[Any, dict[str, str]]]:
    """Connect to a Space with gradio_client.

    Yields:
        The client, and what is known about the Space, name to text.
    """
    import gradio_client

    class QuietClient(gradio_client.Client):  # type: ignore[misc]  # untyped
        """The client without its tracebacks and its telemetry, which `analytics_enabled=False` does not stop alone."""

        def _telemetry_thread(self) -> None:
            pass

        def add_zero_gpu_headers(self, headers: dict[str, str]) -> dict[str, str]:
            return headers  # the original imports all of gradio to see whether it runs inside an app

        def stream_messages(self, *args: Any, **kwargs: Any) -> None:
            with _muted_thread():
                super().stream_messages(*args, **kwargs)

    is_address = request.id.startswith(("http://", "https://"))
    if is_address and urlsplit(request.id).username is not None:
        raise SpaceNotFound("the address of a Space must not contain a user name or password")
    hosted = {"address": plain(request.id)} if is_address else _looked_up(request)
    client = QuietClient(
        request.id,
        token=False if is_address else None,  # None: the user's token, which only Spaces of the Hub may receive
        verbose=False,
        download_files=False,
        analytics_enabled=False,
        httpx_kwargs={"timeout": min(SILENCE_SECONDS, request.deadline), "trust_env": not on_loopback(request.id)},
    )
    try:
        if client.protocol == "sse":
            client.httpx_kwargs.clear()  # gradio_client sets its own timeout there, and fails if there is another
        yield client, {**hosted, "gradio": plain(client.app_version)}
    finally:
        client.close()


def _looked_up(request: SpaceRequest) -> dict[str, str]:
    """Look up a Space on the Hub.

    Raises:
        SpaceUnavailable: The Space is not running; the class says in which state it is.
    """
    from huggingface_hub import HfApi

    info = HfApi().space_info(request.id, timeout=min(SILENCE_SECONDS, request.deadline))
    runtime: Mapping[str, Any] = info.runtime.raw if info.runtime else {}
    stage = str(runtime.get("stage"))
    if stage in _STAGES:
        error, what, hint = _STAGES[stage]
        detail = runtime.get("errorMessage")
        raise error(f"Space {request.id} {what}" + (f": {detail}" if detail else ""), hint=hint)
    return facts_of(info)


_DUPLICATE = "ask its owner to restart it, or duplicate it and use the copy's id"
_LATER = "run the same command again in some minutes"

_STAGES: dict[str, tuple[type[SpaceUnavailable], str, str]] = {
    "PAUSED": (SpacePaused, "is paused by its owner", _DUPLICATE),
    "STOPPED": (SpacePaused, "is stopped", _DUPLICATE),
    "SLEEPING": (SpaceSleeping, "is asleep", "open its page once to wake it, then run the same command again"),
    "BUILDING": (SpaceStarting, "is still building", _LATER),
    "APP_STARTING": (SpaceStarting, "is still starting", _LATER),
    "BUILD_ERROR": (SpaceBroken, "could not be built", "its owner has to fix it; a duplicate may work"),
    "RUNTIME_ERROR": (SpaceBroken, "has crashed", "its owner has to restart it; a duplicate may work"),
    "CONFIG_ERROR": (SpaceBroken, "is misconfigured", "its owner has to fix it"),
    "NO_APP_FILE": (SpaceBroken, "has no app file", "check the id"),
    "DELETING": (SpaceNotFound, "is being deleted", "use another Space"),
}
"""Stages in which a Space is not running (huggingface_hub.SpaceStage): the error, its message, and its hint."""


def awaited(job: Any, deadline: float, ends: float, progress: Progress) -> Any:
    """Wait for the result of a job. Whatever ends the waiting early, including Ctrl-C, cancels the job."""
    try:
        _watch(job, deadline, ends, progress)
    except BaseException:
        # In a separate thread, because a server that does not answer would block Ctrl-C.
        cancelling = threading.Thread(target=_cancel, args=(job,), daemon=True)
        cancelling.start()
        cancelling.join(CANCEL_SECONDS)
        raise
    return job.result()


def _watch(job: Any, deadline: float, ends: float, progress: Progress) -> None:
    text, done, total = "", 0, 0
    while not job.done():
        if time.monotonic() > ends:
            last = f" (last status: {text})" if text else ""
            raise DeadlineExceeded(
                f"the Space returned no result within {deadline:g} s, queue included{last}",
                hint="set a longer deadline, or run the same command again when the queue is shorter",
            )
        before = (text, done, total)
        text, done, total = _state_of(job.status())
        if text and text != before[0]:
            progress.on_status(text)
        if total and (done, total) != before[1:]:
            progress.on_step(done, total)
        time.sleep(min(POLL_SECONDS, deadline))


def _cancel(job: Any) -> None:
    with contextlib.suppress(Exception):  # the job is abandoned, whether or not the server learns of it
        job.cancel()


def _state_of(status: Any) -> tuple[str, int, int]:
    """Return a status line, the number of finished steps and of all steps; 0 if the Space does not report them."""
    done = total = 0
    text = {"STARTING": "waiting for the Space", "PROCESSING": "the Space generates"}.get(status.code.name, "")
    if status.code.name == "IN_QUEUE" and isinstance(status.rank, int):
        text = f"number {status.rank + 1} of {plain(status.queue_size, 20)} in the queue"
        text += f", about {status.eta:.0f} s" if isinstance(status.eta, int | float) else ""
    for unit in status.progress_data or ():
        if isinstance(unit.index, int) and isinstance(unit.length, int) and 0 <= unit.index <= unit.length:
            done, total = unit.index, unit.length
        elif isinstance(unit.progress, int | float) and 0 <= unit.progress <= 1:
            done, total = round(100 * unit.progress), 100
        text = plain(unit.desc or "the Space generates", 80)
    return text, done, total


@contextlib.contextmanager
def _muted_thread() -> Iterator[None]:
    """Drop this thread's standard error: gradio_client prints a traceback if a connection breaks."""
    muted = _MutedFor(threading.get_ident(), sys.stderr)
    sys.stderr = muted
    try:
        yield
    finally:
        if sys.stderr is muted:  # otherwise other code has replaced it
            sys.stderr = muted.stream


class _MutedFor:
    """A text stream that drops what one thread writes."""

    def __init__(self, thread: int, stream: Any) -> None:
        self.thread = thread
        self.stream = stream

    def write(self, text: str) -> int:
        return len(text) if threading.get_ident() == self.thread else self.stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
