"""The connection to a Space: look it up, connect, and follow the job.

This is the only module that imports gradio_client. It runs in a process of its own (`conversation`), which the deadline
and an interrupt end from outside, so nothing here watches a clock.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from spacediff.errors import SpaceNotFound
from spacediff.hub.files import facts_of
from spacediff.hub.space_errors import plain
from spacediff.progress import Progress
from spacediff.sources.space.answers import SILENCE_SECONDS, on_loopback
from spacediff.sources.space.request import SpaceRequest
from spacediff.sources.space.retrying import ATTEMPTS, retried
from spacediff.sources.space.waking import is_starting, looked_up, status_of

_FIRST_POLL, _LONGEST_POLL = 0.02, 0.2
_MOST_RESTARTS = 5
"""How often a Space may be restarted while the client connects."""


@contextlib.contextmanager
def connected(
    request: SpaceRequest, progress: Progress, ends: float, *, patient: bool
) -> Iterator[tuple[Any, dict[str, str]]]:
    """Connect to a Space with gradio_client.

    Args:
        request: Names the Space.
        progress: Receives what is waited for.
        ends: When a Space that is starting must run, on the monotonic clock.
        patient: Whether to wait for a Space that does not run yet, and to ask again where there is no answer.

    Yields:
        The client, and what is known about the Space, name to text.
    """
    is_address = request.id.startswith(("http://", "https://"))
    if is_address and urlsplit(request.id).username is not None:
        raise SpaceNotFound("the address of a Space must not contain a user name or password")
    if is_address:
        client, hosted = _client(request.id, request, patient=patient, of_hub=False), {"address": plain(request.id)}
    else:
        client, info = _of_hub(request, progress, ends, patient=patient)
        hosted = facts_of(info)
    try:
        if client.protocol == "sse":
            client.httpx_kwargs.clear()  # gradio_client sets its own timeout there, and fails if there is another
        yield client, {**hosted, "gradio": plain(client.app_version)}
    finally:
        client.close()


def _of_hub(request: SpaceRequest, progress: Progress, ends: float, *, patient: bool) -> tuple[Any, Any]:
    """Connect to the app of a Space, again if it was restarted meanwhile; return the client, and the Hub's answer."""
    for left in reversed(range(_MOST_RESTARTS)):
        info = looked_up(request.id, progress, ends, patient=patient)
        try:
            return _client(info.host, request, patient=patient, of_hub=True), info
        except Exception:
            if not (patient and left and is_starting(request.id, ends)):
                raise
    raise AssertionError  # the last round returns or raises


def _client(address: str, request: SpaceRequest, *, patient: bool, of_hub: bool) -> Any:
    import gradio_client

    class QuietClient(gradio_client.Client):  # type: ignore[misc]  # untyped
        """The client without its telemetry, which `analytics_enabled=False` does not stop alone."""

        def _telemetry_thread(self) -> None:
            pass

        def add_zero_gpu_headers(self, headers: dict[str, str]) -> dict[str, str]:
            return headers  # the original imports all of gradio to see whether it runs inside an app

    def connect() -> Any:
        status_of(f"{address.rstrip('/')}/config", of_hub=of_hub)  # the client takes each refusal for an old Gradio
        return QuietClient(
            address,
            token=None if of_hub else False,  # None: the user's token, which only Spaces of the Hub may receive
            verbose=False,
            download_files=False,
            analytics_enabled=False,
            httpx_kwargs={"timeout": min(SILENCE_SECONDS, request.deadline), "trust_env": not on_loopback(address)},
        )

    return retried(connect, ATTEMPTS if patient else 1)


def awaited(job: Any, progress: Progress) -> Any:
    """Wait for the result of a job."""
    text, done, total, poll = "", 0, 0, _FIRST_POLL
    while not job.done():
        before = (text, done, total)
        text, done, total = _state_of(job.status())
        if text and text != before[0]:
            progress.on_status(text)
        if total and (done, total) != before[1:]:
            progress.on_step(done, total)
        time.sleep(poll)
        poll = min(1.5 * poll, _LONGEST_POLL)
    return job.result()


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
