"""Compare all clips of a prompt with its reference, like with like, and place them on one scale.

The key insight is that all candidates are scored alike, the other seeds, the re-run and the controls among them; the
scale comes out of the same table as the numbers that it gives a meaning to. Each candidate goes from step to step as a
value or as its failure, so that none costs the others their numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.clip import read_clip
from spacediff.codec import Resolution, planted_resolution
from spacediff.comparing.clip_measures import measures_of
from spacediff.comparing.comparison import Scored, comparison_record, findings_of, without_numbers
from spacediff.comparing.controls import control_of_itself, control_of_rerun, controls_of_seeds
from spacediff.comparing.failures import Failed, attempt, attempt_each, succeeded
from spacediff.comparing.floor_and_ceiling import ScaleOfPrompt, measure_scale
from spacediff.comparing.heat_maps import Maps
from spacediff.comparing.pairing import Encoder, Side
from spacediff.comparing.scores import ITSELF, OnFrame, Scores
from spacediff.comparing.traces import compare_traces, reference_trace
from spacediff.comparing.verdict import Findings, judge, judge_frames
from spacediff.metrics import Metric
from spacediff.record import (
    ComparisonRecord,
    ControlRecord,
    FactKind,
    ResolutionRecord,
    Role,
    RunRecord,
    TraceComparisonRecord,
    Verdict,
    fact,
    quoted,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PromptComparison:
    """How the clips of one prompt compare with its reference.

    Attributes:
        prompt: Name of the prompt.
        comparisons: One for each candidate.
        controls: Comparisons whose outcome is known beforehand.
        resolutions: What could have been seen.
        files: Run name to the file whose frames stand for its clip, all of them after the same codec.
        traces: Where the generations diverge, for each candidate with a trace.
        local: Where the reference is unavailable, how the runs of this machine compare with the baseline.
    """

    prompt: str
    comparisons: list[ComparisonRecord]
    controls: list[ControlRecord]
    resolutions: list[ResolutionRecord]
    files: dict[str, Path]
    traces: list[TraceComparisonRecord] = field(default_factory=list)
    local: list[ComparisonRecord] = field(default_factory=list)


def compare_prompt(
    reference: RunRecord,
    candidates: Sequence[RunRecord],
    folder: Path,
    metrics: tuple[Metric, ...],
    on_frame: OnFrame,
    *,
    scores: Scores | None = None,
) -> PromptComparison:
    """Compare all clips of a prompt with its reference.

    Args:
        reference: The reference's run.
        candidates: The other runs of the prompt, the re-run and the other seeds among them.
        folder: The audit folder; tables and encoded clips are written into it.
        metrics: What to measure.
        on_frame: Called after each scored frame of the reference.
        scores: What has been scored already.

    Returns:
        A comparison for each candidate, in order; one without numbers says why.
    """
    clips = _compared_clips(reference, candidates, folder, metrics, on_frame, scores=scores)
    if isinstance(clips, Failed):
        clips = _nothing_compared(reference, candidates, clips, folder)
    return replace(clips, traces=_traces(reference, candidates, clips.comparisons, folder))


def _compared_clips(
    reference: RunRecord,
    candidates: Sequence[RunRecord],
    folder: Path,
    metrics: tuple[Metric, ...],
    on_frame: OnFrame,
    *,
    scores: Scores | None,
) -> PromptComparison | Failed:
    """Compare the clips, not yet the traces; a failure of the reference is the failure of all."""
    clip = reference.clip
    if clip is None:
        return Failed(Verdict.NOT_MEASURED, fact(FactKind.NO_REFERENCE, quoted(reference.reason)))

    def compared() -> PromptComparison:
        found = scores or Scores(reference, clip, folder, metrics)
        found.add(candidates, on_frame)
        return _from_scores(found, candidates, metrics)

    return attempt(compared)


def _from_scores(scores: Scores, candidates: Sequence[RunRecord], metrics: tuple[Metric, ...]) -> PromptComparison:
    reference, encoder = scores.reference, scores.encoder
    names = [run.name for run in candidates]
    sides = {name: scores.sides[name] for name in names}
    scored = {name: scores.scored[name] for name in (ITSELF, *names)}
    of_sides = {reference.run.name: reference}
    of_sides |= {name: each.pair.candidate for name, each in succeeded(scored).items() if name != ITSELF}
    there = succeeded(scored)
    scale = measure_scale(
        {name: each.table for name, each in there.items()},
        {name: each.worst.error if each.worst else 0.0 for name, each in there.items()},
        of_sides,
        encoder.folder,
        metrics,
    )
    findings = attempt_each(scored, lambda each: (each, findings_of(each, scale)))
    record = partial(_recorded, Maps(encoder.folder), scale, encoder.folder)
    records = attempt_each({run.name: findings[run.name] for run in candidates}, record)
    return PromptComparison(
        reference.run.prompt,
        [
            without_numbers(reference.run, run, found) if isinstance(found, Failed) else found
            for run, found in zip(candidates, records.values(), strict=True)
        ],
        _controls([reference.run, *candidates], findings, scale),
        [_resolution(side, encoder) for side in of_sides.values() if side.run.role is Role.BASELINE]
        or _resolution_of_files([*of_sides.values()]),
        {reference.run.name: reference.file} | {name: side.file for name, side in succeeded(sides).items()},
    )


def _recorded(maps: Maps, scale: ScaleOfPrompt, folder: Path, judged: tuple[Scored, Findings]) -> ComparisonRecord:
    """Make the record of a scored candidate; its table and its map are written into the audit folder."""
    scored, findings = judged
    heat = None if findings.equal else maps.of(scored)
    record = comparison_record(scored, findings, scale, measures=measures_of(scored), heat=heat)
    _write_table(scored.table, record, folder)
    return record


def _write_table(table: pd.DataFrame, record: ComparisonRecord, folder: Path) -> None:
    import pandas as pd

    path = folder / record.frames_csv
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = pd.MultiIndex.from_tuples(record.frame_map, names=["reference_frame", "candidate_frame"])
    table.set_index(numbers).to_csv(path, lineterminator="\n")


def _controls(
    runs: Sequence[RunRecord], judged: Mapping[str, tuple[Scored, Findings] | Failed], scale: ScaleOfPrompt
) -> list[ControlRecord]:
    prompt, itself = runs[0].prompt, judged[ITSELF]
    outcome = (itself.verdict, [itself.reason]) if isinstance(itself, Failed) else judge(itself[1])
    frames = {name: judge_frames(findings)[0] for name, (_, findings) in succeeded(judged).items()}
    rerun = [control_of_rerun(prompt, scale.rerun, scale.scales)] if scale.rerun else []
    return [control_of_itself(prompt, *outcome), *rerun, *controls_of_seeds(runs, frames)]


def _resolution(baseline: Side, encoder: Encoder) -> ResolutionRecord:
    """Find out which difference could have been seen through the reference's codec."""
    prompt = baseline.run.prompt
    if encoder.encoding is None:
        return _everything_seen(prompt)

    def planted() -> Resolution:
        with encoder.timed() as encoding:
            return planted_resolution(read_clip(encoder.folder / baseline.clip.lossless), encoding)

    found = attempt(planted)
    if isinstance(found, Failed):
        return ResolutionRecord(prompt=prompt, finding=found.reason, levels=None, share=0.0)
    levels = found.levels if found.seen else None
    return ResolutionRecord(prompt=prompt, finding=found.fact, levels=levels, share=found.share)


def _resolution_of_files(sides: Sequence[Side]) -> list[ResolutionRecord]:
    """Say which difference could have been seen where files alone were compared."""
    if len(sides) == 1 or not all(side.clip.original for side in sides):
        return []
    return [_everything_seen(sides[0].run.prompt)]


def _everything_seen(prompt: str) -> ResolutionRecord:
    return ResolutionRecord(prompt=prompt, finding=fact(FactKind.NOTHING_ENCODED), levels=1, share=0.0)


def _traces(
    reference: RunRecord, candidates: Sequence[RunRecord], comparisons: list[ComparisonRecord], folder: Path
) -> list[TraceComparisonRecord]:
    traced = reference_trace(reference, list(candidates), comparisons)
    if traced is None:
        return []
    shown = {each.candidate for each in comparisons if each.verdict.matches} if traced is reference else set()
    others = [run for run in candidates if run is not traced]
    found = (compare_traces(traced, run, folder, equal_once_encoded=run.name in shown) for run in others)
    return [each for each in found if each is not None]


def _nothing_compared(
    reference: RunRecord, candidates: Sequence[RunRecord], failed: Failed, folder: Path
) -> PromptComparison:
    return PromptComparison(
        reference.prompt,
        [without_numbers(reference, run, failed) for run in candidates],
        [],
        [],
        {run.name: folder / (run.clip.original or run.clip.lossless) for run in candidates if run.clip},
    )
