"""What would be installed as in a Space, before anything is: the list is shown first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spacediff.environments.hosted_facts import differing_facts, installed_fact
from spacediff.environments.locking import lock_of
from spacediff.environments.wanted import SPACE, TABLE, wanted_of
from spacediff.errors import NotMeasuredError
from spacediff.progress import Progress
from spacediff.record import Fact
from spacediff.run import Run


def spaces_installed(runs: Iterable[Run], progress: Progress) -> Iterator[Fact]:
    """Yield what the runs in the environment of a Space would install, and in what that is not the Space's.

    Where it cannot be known, the run says so.

    Args:
        runs: The runs of an audit.
        progress: Receives what is looked up.
    """
    seen = set()
    for run in runs:
        space = run.settings.value(f"{TABLE}.{SPACE}")
        if run.source != "diffusers" or not space:
            continue
        try:
            progress.on_status(f"reading what {space} installs")
            wanted = wanted_of(run.settings)
            if wanted is None or wanted in seen:
                continue
            seen.add(wanted)
            lock = lock_of(wanted, progress)
        except NotMeasuredError:
            continue
        installed = installed_fact(wanted, lock)
        yield from [*([] if installed is None else [installed]), *differing_facts(wanted, lock)]
