"""The last recording of each visitor's session, in memory, within bounds of time and size."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

KEPT_SECONDS = 590.0
"""With the interval in which the expired ones are removed, ten minutes."""
MOST_SESSIONS = 32
MOST_BYTES = 4 * 2**20
"""Of one recording: a call of 50 steps takes a tenth of one MiB."""


class LastRecordings:
    """Keeps the last recording of each session until it is taken, and no longer than `KEPT_SECONDS`."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, session: str, recording: bytes) -> None:
        """Replace the recording of a session. One that is too large is not kept, nor is the one before."""
        with self._lock:
            self._kept.pop(session, None)
            if len(recording) <= MOST_BYTES:
                self._kept[session] = (time.monotonic(), recording)
            while len(self._kept) > MOST_SESSIONS:
                self._kept.popitem(last=False)

    def taken(self, session: str) -> bytes:
        """Return the recording of a session, and keep it no longer; empty without one."""
        self.expire()
        with self._lock:
            return self._kept.pop(session, (0.0, b""))[1]

    def expire(self) -> None:
        """Remove the recordings that nobody has taken in time."""
        oldest = time.monotonic() - KEPT_SECONDS
        with self._lock:
            for session in [session for session, (since, _) in self._kept.items() if since < oldest]:
                del self._kept[session]
