"""What moved together with a version that is a setting: the search changes it together, so it is named together."""

from __future__ import annotations

from collections.abc import Mapping

from spacediff.environments.wanted import TABLE
from spacediff.explaining.result import SearchResult
from spacediff.record import MovedRecord, RunRecord


def moved_with_versions(search: SearchResult, here: Mapping[str, str]) -> list[MovedRecord]:
    """Return the packages whose versions differ between the two ends, without those that are settings themselves.

    Args:
        search: What the search found.
        here: The packages of this environment, in which a run without such a setting happens.
    """
    suspects = {each.path for each in search.suspects}
    if not any(path.partition(".")[0] == TABLE for path in suspects):
        return []
    left, right = _versions(search.left), _versions(search.right)
    names = [name for name in {**right, **left} if f"{TABLE}.{name}" not in suspects]
    ends = ((name, left.get(name, here.get(name, "")), right.get(name, here.get(name, ""))) for name in names)
    return [MovedRecord(name=name, start=start, target=target) for name, start, target in ends if start != target]


def _versions(run: RunRecord) -> dict[str, str]:
    """Return the versions that an environment of a run has in place of those here, by package."""
    prefix = f"{TABLE}."
    return {
        path.removeprefix(prefix): str(setting.value)
        for path, setting in run.settings.items()
        if path.startswith(prefix) and path != f"{prefix}requirements"
    }
