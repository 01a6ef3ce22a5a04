"""Which packages two runs had in other versions, as the settings of their environments have them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from spacediff.record.cause import MovedRecord
from spacediff.record.run import RunRecord

_PREFIX = "env."
_FILES = frozenset({"env.requirements", "env.space"})
"""What names several packages at once."""


def moved_between(
    left: RunRecord, right: RunRecord, here: Mapping[str, str], without: Collection[str] = ()
) -> list[MovedRecord]:
    """Return the packages whose versions differ between two runs.

    Args:
        left: The one run.
        right: The other one.
        here: The packages of this environment, in which a run without such a setting happens.
        without: Packages that are settings themselves.
    """
    ours, theirs = versions_of(left), versions_of(right)
    names = [name for name in {**theirs, **ours} if name not in without]
    ends = ((name, ours.get(name, here.get(name, "")), theirs.get(name, here.get(name, ""))) for name in names)
    return [MovedRecord(name=name, start=start, target=target) for name, start, target in ends if start != target]


def versions_of(run: RunRecord) -> dict[str, str]:
    """Return the versions that an environment of a run has in place of those here, by package."""
    return {
        path.removeprefix(_PREFIX): str(setting.value)
        for path, setting in run.settings.items()
        if path.startswith(_PREFIX) and path not in _FILES
    }
