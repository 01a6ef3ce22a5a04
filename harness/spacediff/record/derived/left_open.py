"""What an audit leaves open: what was not measured or is not known, so that its answer does not rest on it.

The key insight: whoever reads "the same" or "the cause" takes it for more than was measured. So every audit names what
it did not measure, the weightiest first, and at least that it saw a few prompts and seeds and no others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from spacediff.record.audit import AuditRecord
from spacediff.record.comparison import ComparisonRecord
from spacediff.record.fact import Fact, fact
from spacediff.record.fact_kinds import FactKind
from spacediff.record.overview import OverviewRecord
from spacediff.record.run import ASIDE, Role, RunRecord
from spacediff.settings import Origin

_LIBRARIES = ("torch", "diffusers", "transformers")
"""Libraries whose versions change what a pipeline computes."""
_EXACT = re.compile(r"(?:==\s*)?\d[\w.+!-]*", re.ASCII)
"""A version that was observed, or the only one that a requirement allows."""
_MACHINE = frozenset({"hardware", "processor", "device"})
"""Under any of these, a record names what a Space computes with."""
_HERE = frozenset({"diffusers", "script"})
"""Sources that generate on this machine, under observation."""
_ASKED = frozenset({"space", "command", "inference"})
"""Sources that can be asked for a clip a second time."""
_UNKNOWN_PROMPT = frozenset({FactKind.PROMPT_MAY_BE_REWRITTEN, FactKind.PROMPT_OF_FILE_UNKNOWN})


def left_open(record: AuditRecord, overviews: Iterable[OverviewRecord]) -> list[Fact]:
    """Return what an audit leaves open, the weightiest first; empty where it has no prompt.

    Args:
        record: The audit; what is derived of it is not used.
        overviews: What leads, for each of its prompts.
    """
    shown = list(overviews)
    if not shown:
        return []
    of_prompts: dict[FactKind, Fact] = {}  # what several prompts leave open is said once
    for overview in shown:
        for each in _of_prompt(record, overview):
            of_prompts.setdefault(each.kind, each)
    order = list(FactKind)
    found = [*_not_made(record), *of_prompts.values(), *_of_audit(record), _basis(record)]
    return sorted(found, key=lambda each: order.index(each.kind))


def _not_made(record: AuditRecord) -> Iterator[Fact]:
    """Yield what the scenario leaves out, and what has not run."""
    if record.approximations:
        yield fact(FactKind.OPEN_APPROXIMATIONS, count=len(record.approximations))
    if not record.finished:
        yield fact(FactKind.OPEN_INTERRUPTED)
    names = (run.name for run in record.runs if run.failed and run.role not in ASIDE and run.name != record.reference)
    if failed := list(dict.fromkeys(names)):
        yield fact(FactKind.OPEN_RUNS, runs=failed)


def _of_prompt(record: AuditRecord, overview: OverviewRecord) -> Iterator[Fact]:
    """Yield what is unknown of a prompt's reference, and of how its runs were compared with it."""
    runs = {run.name: run for run in record.runs if run.prompt == overview.prompt}
    reference = runs.get(record.reference)
    if reference is None or not reference.measured:
        return
    compared = [each for each in record.comparisons if each.prompt == overview.prompt]
    if reference.source in _HERE:
        yield fact(FactKind.OPEN_HOSTED)
    else:
        yield from _unknown_settings(reference, runs.get(overview.selected))
        yield from _unknown_machine(record, reference)
        if reference.source in _ASKED and not record.samples and not _given_twice(runs, compared):
            yield fact(FactKind.OPEN_REPEAT)
    yield from _unknown_drift(overview, compared)
    notes = (note for each in compared for note in each.notes if note.kind is FactKind.METRIC_UNDEFINED)
    if undefined := list(dict.fromkeys(str(note.values["metric"]) for note in notes)):
        yield fact(FactKind.OPEN_METRICS, metrics=undefined)
    if frames := _frames_taken(runs, compared):
        yield fact(FactKind.OPEN_END, frames=frames)


def _unknown_settings(reference: RunRecord, own: RunRecord | None) -> Iterator[Fact]:
    """Yield how many settings of the shown run are unknown of the reference; of two files, all that made them."""
    if own is None or not own.settings:
        return
    if {own.source, reference.source} == {"video"}:
        yield fact(FactKind.OPEN_SETTINGS, unknown=0, of=0)
        return
    observed = reference.source == "recording"  # then a setting that it lacks was not given
    unknown = [path for path in own.settings if not _known(reference, path, lacking=observed)]
    if unknown:
        yield fact(FactKind.OPEN_SETTINGS, unknown=len(unknown), of=len(own.settings))


def _known(run: RunRecord, path: str, *, lacking: bool) -> bool:
    setting = run.settings.get(path)
    return lacking if setting is None else setting.origin is not Origin.UNKNOWN


def _unknown_machine(record: AuditRecord, reference: RunRecord) -> Iterator[Fact]:
    """Yield what is unknown of what computed the reference; of two files by themselves nothing is expected."""
    if reference.source == "video" and not record.scenario_name:
        return
    versions = {name: reference.hosted.get(name, "") for name in _LIBRARIES}
    if missing := [name for name, version in versions.items() if not _EXACT.fullmatch(version)]:
        yield fact(FactKind.OPEN_LIBRARIES, libraries=missing)
    if reference.source != "command" and not reference.hosted.keys() & _MACHINE:
        yield fact(FactKind.OPEN_HARDWARE)
    if not _known(reference, "model.commit", lacking=False):
        yield fact(FactKind.OPEN_REVISION)


def _given_twice(runs: Mapping[str, RunRecord], compared: Iterable[ComparisonRecord]) -> bool:
    """Whether the reference was asked a second time, past any cache, or a run of this machine gives its clip."""
    for each in compared:
        run = runs.get(each.candidate)
        if run is not None and run.measured:
            if run.role is Role.REPEAT and not run.cached:
                return True
            if run.source in _HERE and each.verdict.matches:
                return True
    return False


def _unknown_drift(overview: OverviewRecord, compared: Iterable[ComparisonRecord]) -> Iterator[Fact]:
    """Yield that the shown run has no place between a re-run and a different seed."""
    for each in compared:
        if each.candidate != overview.selected or each.drift is not None:
            continue
        reasons = (found.values for found in each.evidence if found.kind is FactKind.METRIC_DRIFT_UNKNOWN)
        yield from (fact(FactKind.OPEN_DRIFT, rerun=why["rerun"], seeds=why["seeds"]) for why in reasons)


def _frames_taken(runs: Mapping[str, RunRecord], compared: Sequence[ComparisonRecord]) -> int:
    """Return how many frames were compared where only the start of a file was taken; 0 where files are whole."""
    cut = any(run.source == "video" and run.clip is not None and run.clip.original is None for run in runs.values())
    return max((len(each.frame_map) for each in compared), default=0) if cut else 0


def _of_audit(record: AuditRecord) -> Iterator[Fact]:
    """Yield what is not known of the clips, and what the search for the cause did not look at."""
    cause = record.cause
    if cause is not None and any(each.kind in _UNKNOWN_PROMPT for each in cause.residual_suspects):
        yield fact(FactKind.OPEN_PROMPT_TEXT)
    if any(not found.measured for found in record.semantics):
        yield fact(FactKind.OPEN_CONTENTS)
    if any(warning.kind is FactKind.SOUND_NOT_COMPARED for warning in record.warnings):
        yield fact(FactKind.OPEN_SOUND)
    if cause is not None and (early := sum(probe.early for probe in cause.probes)):
        yield fact(FactKind.OPEN_PROBES, early=early)


def _basis(record: AuditRecord) -> Fact:
    """Return how many prompts and seeds the answer rests on; files and recordings by themselves are clips only."""
    if not record.scenario_name:
        return fact(FactKind.OPEN_CLIPS)
    sampled = {
        str(run.settings["rng.seed"].value)
        for run in record.runs
        if run.role is Role.SAMPLE and run.measured and "rng.seed" in run.settings
    }
    seeds = {str(prompt.seed if prompt.used_seed is None else prompt.used_seed) for prompt in record.prompts}
    return fact(FactKind.OPEN_PROMPTS, prompts=len(record.prompts), seeds=len(seeds | sampled))
