"""The other side of a conversation, and the errors that stand for its ends: of deadline, memory and process."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from spacediff import conversations
from spacediff.errors import NotMeasuredError

_AGAIN = "run the same command again"


@dataclass(frozen=True)
class Partner:
    """Whom a conversation is with, and what is raised where there is no answer.

    Attributes:
        module: The module of the process that holds it.
        name: What the other side is called in a sentence.
        overdue: Makes the error of a passed deadline from the last status in brackets, which may be empty.
        overgrown: The error of answers that need too much memory.
        ended: The error of a process that died, and of an answer of it that is not understood.
        look_at: What to look at where the answers are too large.
        most_memory: Bytes by which the process may grow.
        most_silence: Seconds without a status or a step, after which the deadline counts as passed.
        environment: The whole environment of the process, which is not kept then; None for ours.
    """

    module: str
    name: str
    overdue: Callable[[str], NotMeasuredError]
    overgrown: type[NotMeasuredError]
    ended: type[NotMeasuredError]
    look_at: str
    most_memory: int = conversations.MOST_MEMORY
    most_silence: float = math.inf
    environment: Mapping[str, str] | None = None

    def answer(
        self, asked: Mapping[str, Any], ends: float, listener: conversations.Listener | None = None
    ) -> dict[str, Any]:
        """Ask, and return the answer as it came.

        Args:
            asked: What is asked, as JSON.
            ends: When the answer must be here, on the monotonic clock.
            listener: Hears statuses and steps.

        Raises:
            NotMeasuredError: There is none.
        """
        try:
            return conversations.converse(
                self.module,
                asked,
                ends,
                listener,
                most_memory=self.most_memory,
                most_silence=self.most_silence,
                environment=self.environment,
            )
        except conversations.OverdueError as error:
            raise self.overdue(_last(error)) from error
        except conversations.OvergrownError as error:
            most = f"{self.most_memory >> 20} MiB"
            raise self.overgrown(
                f"{self.name} sends answers that need more than {most} of memory{_last(error)}", hint=self.look_at
            ) from error
        except conversations.EndedError as error:
            raise self.ended(f"the process that speaks with {self.name} {error}", hint=_AGAIN) from error

    def misunderstood(self) -> NotMeasuredError:
        """Return the error of an answer that has not the form which is expected."""
        return self.ended(
            f"the process that speaks with {self.name} gave an answer that is not understood", hint=_AGAIN
        )


def _last(error: Exception) -> str:
    return f" (last status: {error})" if str(error) else ""
