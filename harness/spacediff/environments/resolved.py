"""What a run's environment comes to: what is wanted and its lock, as plain data that can be sent to other machines.

On a cluster, the machine of the command resolves once and sends the result, so that no two nodes install anything
different.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from spacediff.environments.locking import Lock, lock_of
from spacediff.environments.wanted import Wanted, wanted_of
from spacediff.progress import Progress
from spacediff.settings import Settings


@dataclass(frozen=True)
class Resolved:
    """An environment before it is built.

    Attributes:
        wanted: What is asked for.
        lock: What that comes to.
    """

    wanted: Wanted
    lock: Lock


Resolve: TypeAlias = Callable[[Settings, Progress], Resolved | None]
"""Returns what the environment of settings comes to; None where the run happens in this one."""


def resolved(settings: Settings, progress: Progress) -> Resolved | None:
    """Return what the environment of settings comes to, from the cache or by asking the Hub and the index.

    Raises:
        EnvironmentUnavailable: It cannot be resolved.
        NotMeasuredError: The Hub does not give the Space.
    """
    wanted = wanted_of(settings)
    return None if wanted is None else Resolved(wanted, lock_of(wanted, progress))
