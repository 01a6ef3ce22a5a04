"""What the queue of a Space says of a job and gradio_client drops: whether the answer came from a cache.

The client keeps the messages of each event until it has read them. Its dictionary of them is replaced by one whose
queues are read along. Where a client keeps them otherwise, nothing is overheard, and so nothing is known.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Literal

UsedCache = Literal["full", "partial", "no", "unknown"]
"""Whether an answer came from a cache of Gradio as a whole or in part; a Gradio before 6 does not say."""

_MESSAGES = "pending_messages_per_event"


class Overheard:
    """What was overheard of the jobs of a client; it holds for the job that ended last.

    Attributes:
        used_cache: Whether the answer came from a cache.
        work_seconds: How long the Space worked on it, without the queue; None if it did not say when it began.
    """

    def __init__(self) -> None:
        self.used_cache: UsedCache = "unknown"
        self.work_seconds: float | None = None
        self._began: float | None = None

    def hear(self, message: Any) -> None:
        """Take a message of the event stream, which is untrusted."""
        match message:
            case {"msg": "process_starts"}:
                self._began = time.monotonic()
            case {"msg": "process_completed"}:
                self.used_cache = _used_cache(message)
                self.work_seconds = None if self._began is None else time.monotonic() - self._began
                self._began = None


def overhear(client: Any) -> Overheard:
    """Read the messages along that a connected client of gradio_client receives from now on."""
    overheard = Overheard()
    if isinstance(getattr(client, _MESSAGES, None), dict):
        setattr(client, _MESSAGES, _Messages(overheard.hear))
    return overheard


def _used_cache(message: Mapping[str, Any]) -> UsedCache:
    if message.get("success") is not True:
        return "unknown"
    said = message.get("used_cache", "unknown")
    known: dict[Any, UsedCache] = {"full": "full", "partial": "partial", None: "no"}
    return known.get(said, "unknown") if isinstance(said, str | None) else "unknown"


class _Messages(dict[Any, Any]):
    """The messages of each event, in queues that are read along."""

    def __init__(self, hear: Callable[[Any], None]) -> None:
        super().__init__()
        self._hear = hear

    def __setitem__(self, event: Any, queue: Any) -> None:
        super().__setitem__(event, self._read_along(queue))

    def setdefault(self, event: Any, queue: Any = None) -> Any:
        return super().setdefault(event, self._read_along(queue))

    def _read_along(self, queue: Any) -> Any:
        return _Queue(queue, self._hear) if type(queue) is deque else queue


class _Queue(deque[Any]):
    def __init__(self, queued: deque[Any], hear: Callable[[Any], None]) -> None:
        super().__init__(queued)
        self._hear = hear

    def append(self, message: Any) -> None:
        self._hear(message)
        super().append(message)
