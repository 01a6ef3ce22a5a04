"""The side of a conversation that is in a process of its own; see `spacediff.conversations`.

The process ends as soon as the one that asks has ended, or tells it to cancel: in the middle of whatever it does.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO


class Channel:
    """The other side, as the work of this one sees it: it hears statuses and steps, and may cancel.

    Args:
        requests: What is asked, one JSON object a line.
        answers: Where messages and answers go.
    """

    def __init__(self, requests: BinaryIO, answers: BinaryIO) -> None:
        self.on_cancel: Callable[[], Any] = _nothing
        self._asked: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._answers = answers
        threading.Thread(target=self._read, args=(requests,), daemon=True).start()

    def next(self) -> dict[str, Any]:
        """Wait for what is asked."""
        return self._asked.get()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message or an answer."""
        self._answers.write(json.dumps(message).encode() + b"\n")
        self._answers.flush()

    def on_status(self, text: str) -> None:
        """Send what is done."""
        self.send({"kind": "status", "text": text})

    def on_step(self, done: int, total: int) -> None:
        """Send how many steps are done."""
        self.send({"kind": "step", "done": done, "total": total})

    def _read(self, requests: BinaryIO) -> None:
        try:
            for line in requests:
                message = json.loads(line)
                if message.get("kind") == "cancel":
                    with contextlib.suppress(Exception):  # whether or not the server learns of it
                        self.on_cancel()
                    break
                self._asked.put(message)
        finally:
            os._exit(0)


def serve(answered: Callable[[dict[str, Any], Channel], Mapping[str, Any]], most_file_bytes: int) -> None:
    """Answer what is asked on stdin until it ends; what libraries print goes to stderr.

    Args:
        answered: Makes the answer; it raises nothing.
        most_file_bytes: The largest file that this process may write, where the system can limit that.
    """
    _limit_files(most_file_bytes)
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout = sys.stderr
    channel = Channel(requests, answers)
    channel.send({"kind": "ready"})
    while True:
        answer = answered(channel.next(), channel)
        channel.on_cancel = _nothing
        channel.send(answer)


def _limit_files(most_bytes: int) -> None:
    if sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        most = most_bytes if hard == resource.RLIM_INFINITY else min(most_bytes, hard)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))


def _nothing() -> None:
    pass
