"""The settings of a run in groups: what was changed, what differs from the reference, what is unknown, what is equal.

The key insight: a value that is unknown on a side differs from everything, but is not known to differ, so it has a
group of its own. The exception is what one script leaves open: two runs of it have the same there, whatever that is.
"""

from __future__ import annotations

from spacediff.record.run import RunRecord, SettingGroupsRecord, SettingRecord, recorded_settings
from spacediff.settings import Origin, diff

_Recorded = dict[str, SettingRecord]


def setting_groups(run: RunRecord, baseline: RunRecord | None, reference: RunRecord | None) -> SettingGroupsRecord:
    """Group the settings of a run by how they compare with the baseline's and the reference's.

    Without a baseline, as where two files are compared, nothing is changed.
    """
    theirs = reference.settings if reference else {}
    usual = baseline.settings if baseline else {}
    changed = set() if baseline is None or run is baseline else _unequal(baseline, run)
    differing = set(run.settings) if reference is None else _unequal(reference, run)
    recorded = _both_recorded(run, reference)  # then what one side lacks is a difference, and not left unsaid
    if not recorded:
        differing &= theirs.keys()
    groups: dict[str, list[str]] = {"changed": [], "differing": [], "unknown": [], "same": []}
    others = [each for each in (baseline, reference) if each is not None and each is not run]
    for path in sorted({*run.settings, *usual, *theirs}):
        own = _unknown(run.settings, path) and not (others and all(_left_open(path, run, each) for each in others))
        before, there = (_unknown(side, path) or _withheld(path, run.settings, side) for side in (usual, theirs))
        if path in changed and not (own or before):
            group = "changed"
        elif path in differing and (recorded or path in run.settings) and not (own or there):
            group = "differing"
        else:
            group = "unknown" if own or (path in changed and before) or (path in differing and there) else "same"
        groups[group].append(path)
    return SettingGroupsRecord(**groups, as_reference=sorted(theirs.keys() - differing))


def _both_recorded(run: RunRecord, reference: RunRecord | None) -> bool:
    """Whether all settings of both sides were observed in the same way."""
    return reference is not None and {run.source, reference.source} <= {"recording", "script"}


def _unknown(side: _Recorded, path: str) -> bool:
    return path in side and side[path].origin is Origin.UNKNOWN


def _withheld(path: str, one: _Recorded, other: _Recorded) -> bool:
    """Whether a path that one side lacks is in a table of which a side says only that it is unknown."""
    if (path in one) == (path in other):
        return False
    parts = path.split(".")
    tables = [".".join(parts[:end]) for end in range(1, len(parts))]
    return any(_unknown(side, table) for side in (one, other) for table in tables)


def _left_open(path: str, one: RunRecord, other: RunRecord) -> bool:
    """Whether two runs of a script have the same unknown value: the script says it in one place, which was not read."""
    left, right = one.settings.get(path), other.settings.get(path)
    if left is None or right is None or {one.source, other.source} != {"script"}:
        return False
    return {left.origin, right.origin} == {Origin.UNKNOWN} and left.where == right.where


def _unequal(left: RunRecord, right: RunRecord) -> set[str]:
    found = {each.path for each in diff(recorded_settings(left.settings), recorded_settings(right.settings))}
    return {path for path in found if not _left_open(path, left, right)}
