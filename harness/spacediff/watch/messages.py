"""What diffusers and transformers warn of, next to the script's own handling of it."""

from __future__ import annotations

import logging
from typing import Any

_LIBRARIES = ("diffusers", "transformers")
_MOST = 200
"""Different messages that are kept."""
_FULL = f"of the warnings, only the first {_MOST} different ones are recorded"


class LibraryMessages(logging.Handler):
    """Collects the different warnings of the libraries; nothing is kept from the script's own handlers."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._found: list[str] = []

    def listen(self) -> None:
        """Begin to collect."""
        for name in _LIBRARIES:
            logging.getLogger(name).addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message that is new."""
        try:
            text = record.getMessage()
            if text not in self._found and len(self._found) <= _MOST:
                self._found.append(text if len(self._found) < _MOST else _FULL)
        except Exception:  # noqa: BLE001 - a message that cannot be formatted is not ours to report
            return

    def discard_after(self, count: int) -> None:
        """Keep only the first messages, where what came after them is made again."""
        del self._found[count:]

    def taken(self) -> dict[str, Any]:
        """Return all messages so far."""
        return {"messages": list(self._found)}
