"""What failed within the last minute, and is not asked again meanwhile: each run of an audit would wait for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import TypeVar

from spacediff.errors import NotMeasuredError

_SECONDS = 60.0
_Answer = TypeVar("_Answer")


class RecentFailures:
    """Failures of questions, each for a minute."""

    def __init__(self) -> None:
        self._failed: dict[Hashable, tuple[NotMeasuredError, float]] = {}

    def ask(self, question: Hashable, answer: Callable[[], _Answer]) -> _Answer:
        """Return an answer, unless there was none within the last minute.

        Args:
            question: What is asked.
            answer: Asks it.

        Raises:
            NotMeasuredError: There is none, or was none.
        """
        failed, until = self._failed.get(question, (None, 0.0))
        if failed is not None and time.monotonic() < until:
            raise _fresh(failed)
        try:
            return answer()
        except NotMeasuredError as error:
            self._failed[question] = _fresh(error), time.monotonic() + _SECONDS
            raise

    def forget(self) -> None:
        """Forget all failures."""
        self._failed.clear()


def _fresh(error: NotMeasuredError) -> NotMeasuredError:
    """Return the same error without the frames that it was raised in, which a kept one would keep."""
    return type(error)(error.message, hint=error.hint)
