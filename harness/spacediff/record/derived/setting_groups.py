"""The settings of a run in groups: what was changed, what differs from the reference, what is unknown, what is equal.

The key insight: a value that is unknown on a side differs from everything, but is not known to differ, so it has a
group of its own.
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
    changed = set() if baseline is None or run is baseline else _unequal(usual, run.settings)
    differing = _unequal(theirs, run.settings)
    recorded = _both_recorded(run, reference)  # then what one side lacks is a difference, and not left unsaid
    if not recorded:
        differing &= theirs.keys()
    groups: dict[str, list[str]] = {"changed": [], "differing": [], "unknown": [], "same": []}
    for path in sorted({*run.settings, *usual, *theirs}):
        own, before, there = (_unknown(side, path) for side in (run.settings, usual, theirs))
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


def _unequal(left: _Recorded, right: _Recorded) -> set[str]:
    return {found.path for found in diff(recorded_settings(left), recorded_settings(right))}
