"""What runs ignored and warned of, equal findings once; and which facts of the two environments differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from spacediff.record.audit import EnvironmentRecord, IgnoredRecord, WarningRecord
from spacediff.record.derived.grouping import with_owners
from spacediff.record.run import ASIDE, RunRecord

_Item = TypeVar("_Item")


def ignored_arguments(runs: Sequence[RunRecord]) -> list[IgnoredRecord]:
    """Put equal arguments together that runs accepted but ignored."""
    found = _of_runs(((each, run) for run in runs for each in run.ignored), runs)
    return [IgnoredRecord(ignored=each, runs=names) for each, names in found]


def run_warnings(runs: Sequence[RunRecord]) -> list[WarningRecord]:
    """Put equal warnings of runs together."""
    found = _of_runs(((each, run) for run in runs for each in run.warnings), runs)
    return [WarningRecord(warning=each, runs=names) for each, names in found]


def _of_runs(found: Iterable[tuple[_Item, RunRecord]], runs: Sequence[RunRecord]) -> list[tuple[_Item, list[str]]]:
    """Group findings; runs that serve a question of their own repeat those of others, so they stand only alone."""
    aside = {run.name for run in runs if run.role in ASIDE}
    groups = with_owners((item, run.name) for item, run in found)
    return [(item, [name for name in names if name not in aside] or names) for item, names in groups]


def with_order(environment: EnvironmentRecord) -> EnvironmentRecord:
    """Note which facts differ between this machine and the Space, and put those first."""
    local, hosted = environment.local, environment.hosted
    both = local.keys() & hosted.keys()
    differing = [name for name in hosted if name in both and local[name] != hosted[name]]
    names = dict.fromkeys([*hosted, *local])
    order = sorted(names, key=lambda name: (name not in both, name not in differing))
    return environment.model_copy(update={"order": order, "differing": differing})
