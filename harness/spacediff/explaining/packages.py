"""What moved together with a version that is a setting: the search changes it together, so it is named together."""

from __future__ import annotations

from collections.abc import Mapping

from spacediff.environments.wanted import TABLE
from spacediff.explaining.result import SearchResult
from spacediff.record import MovedRecord
from spacediff.record.derived.packages import moved_between


def moved_with_versions(search: SearchResult, here: Mapping[str, str]) -> list[MovedRecord]:
    """Return the packages whose versions differ between the two ends, without those that are settings themselves.

    Args:
        search: What the search found.
        here: The packages of this environment, in which a run without such a setting happens.
    """
    prefix = f"{TABLE}."
    asked = [each.path.removeprefix(prefix) for each in search.suspects if each.path.startswith(prefix)]
    return moved_between(search.left, search.right, here, without=asked) if asked else []
