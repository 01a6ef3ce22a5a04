"""Groups of clips compared, where no clip of one side belongs to a clip of the other.

The key insight: clips that one set of settings gives are samples of what it can give. So two sides are compared by what
their clips have in common, each measure by a permutation test, and all p values of a candidate are corrected together.
Not to find a difference never shows that there is none; so what these groups could have shown is recorded with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from spacediff.comparing.failures import Failed, attempt
from spacediff.comparing.pairing import Encoder
from spacediff.comparing.samples.group import Group, Sample, Sampling, group_of
from spacediff.comparing.samples.shown import Shown
from spacediff.comparing.samples.strips import write_strip
from spacediff.comparing.samples.tests import Tested, corrected, tested
from spacediff.comparing.scores import lossy_encoding
from spacediff.errors import NotMeasuredError
from spacediff.plan import Plan
from spacediff.progress import Progress
from spacediff.record import FactKind, Role, RunRecord, SamplesRecord, fact
from spacediff.run import Prompt

__all__ = ["compare_samples"]

_FEWEST = 2
"""Clips that make a group."""


def compare_samples(plan: Plan, runs: Sequence[RunRecord], folder: Path, progress: Progress) -> list[SamplesRecord]:
    """Compare the clips of each candidate with those of the reference, as two groups.

    Args:
        plan: Which runs form a group, and what is asked of the clips.
        runs: All runs.
        folder: The audit folder; encoded clips and strips of pictures are written into it.
        progress: Receives the progress.

    Returns:
        A record for each candidate and prompt; none where the plan compares no groups.
    """
    if not plan.grouped:
        return []
    with Shown(plan, folder, progress) as shown:
        found = [
            each
            for prompt in plan.prompts
            for each in _of_prompt(plan, runs, folder, Sampling(prompt, shown, progress))
        ]
    limit = plan.gate.max_effect if plan.gate else None
    names = dict.fromkeys(each.record.candidate for each in found)
    of_candidates = [corrected([each for each in found if each.record.candidate == name], limit) for name in names]
    by_place = {(each.prompt, each.candidate): each for of_one in of_candidates for each in of_one}
    return [by_place[each.record.prompt, each.record.candidate] for each in found]


def _of_prompt(plan: Plan, runs: Sequence[RunRecord], folder: Path, sampling: Sampling) -> Iterator[Tested]:
    prompt = sampling.prompt
    members = _members(plan, prompt, runs)
    of_reference = members.pop(plan.reference, [])
    encoder = attempt(lambda: _encoder(of_reference, folder))
    if isinstance(encoder, Failed):
        nothing = fact(FactKind.SAMPLES_TOO_FEW, encoder.reason, candidate=False, clips=0)
        empty = SamplesRecord(prompt=prompt.name, reference=plan.reference, candidate="", notes=[nothing])
        yield from (Tested(empty.model_copy(update={"candidate": name})) for name in members)
        return
    reference = group_of(plan.reference, of_reference, encoder, candidate=False)
    for name, of_candidate in members.items():
        candidate = group_of(name, of_candidate, encoder, candidate=True)
        yield _compared(reference, candidate, sampling, folder)


def _members(plan: Plan, prompt: Prompt, runs: Sequence[RunRecord]) -> dict[str, list[RunRecord]]:
    """Return the runs of each group, by the name of its first one."""
    groups = {run.name: run.sample_of or run.name for run in plan.runs if run.prompt.name == prompt.name}
    leading = {Role.REFERENCE, Role.BASELINE, Role.VARIANT, Role.SAMPLE}
    found: dict[str, list[RunRecord]] = {}
    for run in runs:
        if run.prompt == prompt.name and run.role in leading and run.name in groups:
            found.setdefault(groups[run.name], []).append(run)
    return found


def _encoder(reference: Sequence[RunRecord], folder: Path) -> Encoder:
    """Return what puts local clips through the codec of the reference's first file."""
    clip = next((run.clip for run in reference if run.clip), None)
    if clip is None:
        raise NotMeasuredError(next((run.reason for run in reference), "there is no reference"))
    return Encoder(lossy_encoding(folder / clip.original) if clip.original else None, folder)


def _compared(reference: Group, candidate: Group, sampling: Sampling, folder: Path) -> Tested:
    pair = sampling.of(reference, candidate)
    sides = {"reference": pair.reference, "candidate": pair.candidate}
    few = {name: side for name, side in sides.items() if len(side) < _FEWEST} if pair.comparable else {}
    notes = [*reference.notes, *candidate.notes, *pair.notes]
    notes += [
        fact(FactKind.SAMPLES_TOO_FEW, candidate=name == "candidate", clips=len(side)) for name, side in few.items()
    ]
    record = SamplesRecord(
        prompt=sampling.prompt.name,
        reference=reference.name,
        candidate=candidate.name,
        reference_runs=list(pair.reference),
        candidate_runs=list(pair.candidate),
        notes=notes,
    )
    strips = {f"{name}_strip": _strip(record, name, side, folder) for name, side in sides.items() if side}
    record = record.model_copy(update=strips)
    if few or not pair.comparable:
        return Tested(record)
    ours, theirs = list(pair.reference.values()), list(pair.candidate.values())
    found = attempt(lambda: tested(record, ours, theirs, sampling.infos))
    if isinstance(found, Failed):
        return Tested(record.model_copy(update={"notes": [*notes, found.reason]}))
    return found


def _strip(record: SamplesRecord, name: str, side: Mapping[str, Sample], folder: Path) -> str:
    place = f"comparisons/{record.prompt}/{record.candidate}/samples-{name}.png"
    return write_strip([each.column for each in side.values()], folder, place)
