"""The settings of runs that differ from what was observed of the reference, a line each.

Observed are the settings of a recording, of a Space with a probe, and of a program that wrote them into its trace. Of
other references too little is known for such a list: the page has what there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from spacediff.cli.console import one_line
from spacediff.record import WITHHELD, OverviewRecord, RunRecord, SettingGroupsRecord
from spacediff.wording.numbers import value

_MOST = 30
"""Settings of a run that are printed."""
_MOST_UNKNOWN = 10
_GENERATED = {"diffusers", "script"}


def show_differing(console: Console, runs: Iterable[RunRecord], reference_name: str, overview: OverviewRecord) -> None:
    """Print what differs from an observed reference: of recordings, and of the run that is shown first."""
    of_prompt = {run.name: run for run in runs if run.prompt == overview.prompt}
    reference = of_prompt.pop(reference_name, None)
    if reference is None or not _is_observed(reference):
        return
    for run in of_prompt.values():
        if run.setting_groups and (run.source == "recording" or run.name == overview.selected):
            _show(console, reference, run, run.setting_groups)


def _is_observed(reference: RunRecord) -> bool:
    if reference.source == "recording":
        return True
    return reference.trace is not None and reference.source not in _GENERATED


def _show(console: Console, reference: RunRecord, run: RunRecord, groups: SettingGroupsRecord) -> None:
    both = run.source == reference.source == "recording"
    changed = [path for path in groups.changed if path in reference.settings and path not in groups.as_reference]
    lines = [
        f"{one_line(path)}: {_shown(reference, path)} in the {reference.name}, {_shown(run, path)} in the {run.name}"
        for path in sorted([*changed, *groups.differing])
    ]
    title = f"settings of {run.name} that differ from {reference.name}"
    none = "none of those that were recorded" if both else "none of those that are known of both"
    console.print(Text(title if lines else f"{title}: {none}", "bold"))
    for line in lines[:_MOST]:
        console.print(Text(f"  {line}"))
    if len(lines) > _MOST:
        console.print(Text(f"  and {len(lines) - _MOST} more, in the report"))
    withheld = [path for path in groups.unknown if _is_withheld(reference, path) or _is_withheld(run, path)]
    others = [path for path in groups.unknown if path not in withheld]
    _show_names(console, "not compared, since a private recording withholds them", withheld, _MOST)
    if not both:
        _show_names(console, "not known", others, _MOST_UNKNOWN)


def _show_names(console: Console, about: str, paths: Sequence[str], most: int) -> None:
    if paths:
        more = f" and {len(paths) - most} more" if len(paths) > most else ""
        console.print(Text(f"  {about}: {one_line(', '.join(paths[:most]))}{more}"))


def _is_withheld(run: RunRecord, path: str) -> bool:
    return path in run.settings and run.settings[path].where == WITHHELD


def _shown(run: RunRecord, path: str) -> str:
    return one_line(value(run.settings[path].value)) if path in run.settings else "not there"
