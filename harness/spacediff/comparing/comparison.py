"""Compare: hold every clip of a prompt against its reference, like with like, and place it on the scale.

The key insight is that all candidates are scored in one pass over the reference, the other seeds, the re-run and the
controls among them; the scale comes out of the same table as the numbers that it gives a meaning to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from spacediff.clip import read_clip, read_frames
from spacediff.codec import MAX_PIXELS, is_encoded_again, planted_resolution, read_encoding
from spacediff.comparing.clip_measures import Measuring
from spacediff.comparing.controls import control_of_itself, control_of_rerun, controls_of_seeds
from spacediff.comparing.failures import Failures
from spacediff.comparing.heat_maps import Maps
from spacediff.comparing.pairing import Encoder, Pair, Side, paired
from spacediff.comparing.scale import ScaleOfPrompt, defined, errors_of, measure_scale
from spacediff.comparing.traces import compare_traces, reference_trace
from spacediff.comparing.verdict import Findings, combined_drift, judge, judge_frames, spread
from spacediff.metrics import Metric, metrics_named
from spacediff.metrics.motion import parting
from spacediff.metrics.scoring import pooled, score, worst_frame
from spacediff.record import (
    ComparisonRecord,
    ControlRecord,
    FirstDivergenceRecord,
    MapRecord,
    MeasureRecord,
    MetricRecord,
    ResolutionRecord,
    Role,
    RunRecord,
    TraceComparisonRecord,
    Verdict,
)

_STILL = 0.005
"""Share of another clip's motion that reads 0.00."""

_ITSELF = ""
"""Stands for the reference as its own candidate; no run has this name."""


@dataclass(frozen=True)
class Compared:
    """What came out for one prompt.

    Attributes:
        prompt: Name of the prompt.
        comparisons: One for each candidate.
        controls: Comparisons whose outcome is known beforehand.
        resolutions: What could have been seen.
        traces: Where the generations diverge, for each candidate with a trace.
        files: Run name to the file whose frames stand for its clip, all of them after the same codec.
    """

    prompt: str
    comparisons: list[ComparisonRecord]
    controls: list[ControlRecord]
    resolutions: list[ResolutionRecord]
    traces: list[TraceComparisonRecord]
    files: dict[str, Path]


def compare_prompt(
    reference: RunRecord,
    candidates: Sequence[RunRecord],
    folder: Path,
    metrics: tuple[Metric, ...],
    on_frame: Callable[[int, int], None],
) -> Compared:
    """Compare all clips of a prompt with its reference.

    Args:
        reference: The reference's run.
        candidates: The other runs of the prompt, the re-run and the other seeds among them.
        folder: The audit folder; tables and encoded clips are written into it.
        metrics: What to measure.
        on_frame: Told how many of the reference's frames are scored, and how many there are.

    Returns:
        A comparison for each candidate, in order; what could not be compared says why.
    """
    if reference.clip is None:
        return _nothing_compared(reference, candidates, f"there is no reference: {reference.reason}", folder)
    failures = Failures()
    with failures.noted(reference.name):
        encoding = read_encoding(folder / reference.clip.original) if reference.clip.original else None
        ours = Side(reference, reference.clip, folder / (reference.clip.original or reference.clip.lossless))
        return _compared_with(ours, candidates, Encoder(encoding, folder), metrics, on_frame)
    return _nothing_compared(reference, candidates, failures.found[reference.name][1], folder)


def _compared_with(
    ours: Side,
    candidates: Sequence[RunRecord],
    encoder: Encoder,
    metrics: tuple[Metric, ...],
    on_frame: Callable[[int, int], None],
) -> Compared:
    failures = Failures()
    pairs = _paired(ours, candidates, encoder, failures)
    tables = _scored(ours, pairs, metrics, on_frame, failures)
    sides = {ours.run.name: ours, **{name: pairs[name].candidate for name in tables if name != _ITSELF}}
    meaning = measure_scale(tables, sides, encoder.folder, metrics)
    findings = {name: _findings(pairs[name], table, meaning) for name, table in tables.items()}
    measuring, maps = Measuring(), Maps(encoder.folder)
    found: dict[str, ComparisonRecord] = {}
    for run in candidates:
        if run.name in tables:
            with failures.noted(run.name):
                pair, table = pairs[run.name], tables[run.name]
                heat = None if findings[run.name].equal else maps.of(pair)
                measures = measuring.both(pair)
                found[run.name] = _compared(pair, table, findings[run.name], meaning, measures=measures, heat=heat)
                _write_table(table, found[run.name], encoder.folder)
    comparisons = [
        found.get(run.name) or _without_numbers(ours.run, run, *failures.found[run.name]) for run in candidates
    ]
    return Compared(
        ours.run.prompt,
        comparisons,
        _controls([ours.run, *candidates], findings, failures, meaning),
        [_resolution(side, encoder) for side in sides.values() if side.run.role is Role.BASELINE]
        or _resolution_of_files([*sides.values()]),
        _traces(ours.run, candidates, comparisons, encoder.folder),
        {ours.run.name: ours.file, **encoder.files},
    )


def _controls(
    runs: Sequence[RunRecord], findings: Mapping[str, Findings], failures: Failures, meaning: ScaleOfPrompt
) -> list[ControlRecord]:
    if _ITSELF in findings:
        verdict, evidence = judge(findings[_ITSELF])
    else:
        verdict, reason = failures.found[_ITSELF]
        evidence = [reason]
    frames = {name: judge_frames(found)[0] for name, found in findings.items()}
    again = [control_of_rerun(runs[0].prompt, meaning.rerun, meaning.scales)] if meaning.rerun else []
    return [control_of_itself(runs[0].prompt, verdict, evidence), *again, *controls_of_seeds(runs, frames)]


def _scored(
    reference: Side,
    pairs: Mapping[str, Pair],
    metrics: tuple[Metric, ...],
    on_frame: Callable[[int, int], None],
    failures: Failures,
) -> dict[str, pd.DataFrame]:
    """Score all pairs: equal files once, and in one pass where nothing was aligned."""
    files = {str(pair.candidate.file): pair.candidate_frames() for pair in pairs.values() if pair.alike}
    tables = score(
        read_frames(reference.file),
        files,
        metrics,
        on_frame=lambda done: on_frame(done, reference.clip.frames),
    )
    found = {name: tables[str(pair.candidate.file)] for name, pair in pairs.items() if pair.alike}
    for name, pair in pairs.items():
        if not pair.alike:
            with failures.noted(name):
                found[name] = score(pair.reference_frames(), {name: pair.candidate_frames()}, metrics)[name]
    return found


def _paired(reference: Side, candidates: Sequence[RunRecord], encoder: Encoder, failures: Failures) -> dict[str, Pair]:
    """Return the pairs that can be compared, the reference with itself first; the failures tell of the others."""
    pairs: dict[str, Pair] = {}
    looked = reference.source()
    with failures.noted(_ITSELF):
        pairs[_ITSELF] = paired(reference, reference, looked)
    for run in candidates:
        if run.clip is None:
            failures.found[run.name] = Verdict.NOT_MEASURED, run.reason
            continue
        with failures.noted(run.name):
            side = encoder.side(run, run.clip)
            with failures.noted(run.name, Verdict.NOT_COMPARABLE):
                pairs[run.name] = paired(reference, side, looked)
    return pairs


def _findings(pair: Pair, table: pd.DataFrame, meaning: ScaleOfPrompt) -> Findings:
    return Findings(
        equal=bool((table["mae"] == 0).all()),
        encoded=pair.reference.clip.original is not None and pair.candidate.clip.original is None,
        processed=() if pair.alike else pair.notes,
        errors=errors_of(table),
        scales=meaning.scales,
        codec_errors=meaning.codec_errors,
        titles={metric.info.name: metric.info.title for metric in metrics_named(table.columns)},
        again="" if (table["mae"] == 0).all() else _again(pair),
        moments_known=pair.alignment.moments_known,
        place_known=pair.alignment.place_known,
    )


def _again(pair: Pair) -> str:
    """Say which of two files is the other one, encoded again; empty where neither is, or it is too large to try."""
    ours, theirs = pair.reference, pair.candidate
    if None in (ours.clip.original, theirs.clip.original) or theirs.run.role is not Role.VARIANT or not pair.alike:
        return ""
    if ours.clip.frames * ours.clip.width * ours.clip.height > MAX_PIXELS:
        return ""
    names = {"the reference": ours.file, "this clip": theirs.file}
    for result, source in (names, reversed(names)):
        if is_encoded_again(names[source], names[result]):
            return f"{result} is {source}, encoded again: that repeats every frame byte for byte"
    return ""


def _compared(
    pair: Pair,
    table: pd.DataFrame,
    findings: Findings,
    meaning: ScaleOfPrompt,
    *,
    measures: dict[str, MeasureRecord],
    heat: MapRecord | None,
) -> ComparisonRecord:
    run = pair.candidate.run
    verdict, evidence = judge(findings)
    match = pair.candidate.match
    return ComparisonRecord(
        prompt=run.prompt,
        reference=pair.reference.run.name,
        candidate=run.name,
        path=_path(pair),
        codec_exact=None if match is None else match.exact,
        notes=[*pair.notes, *_not_repeated(pair.candidate), *_without_value(table)],
        frame_map=list(pair.alignment.frame_map),
        identical=findings.equal and not findings.processed,
        per_frame={str(name): values.tolist() for name, values in table.items() if values.notna().all()},
        metrics={
            metric.info.name: _metric(table, metric, meaning, pair.alignment.frame_map)
            for metric in metrics_named(table.columns)
            if defined(table, metric)
        },
        measures=measures,
        parting=_parting(table, meaning),
        frames_csv=str(Path("comparisons") / run.prompt / run.name / "frames.csv"),
        map=heat,
        drift=combined_drift(findings),
        verdict=verdict,
        evidence=[*evidence, *_frozen(measures["motion"])],
    )


def _frozen(motion: MeasureRecord) -> list[str]:
    """Say that one of two clips stands still; what rounds to none of the other's motion is none."""
    for name, own, other in (
        ("this clip", motion.candidate, motion.reference),
        ("the reference", motion.reference, motion.candidate),
    ):
        if own < _STILL * other:
            return [f"{name} does not move: its motion is {own / other:.2f} of the other's"]
    return []


def _not_repeated(side: Side) -> list[str]:
    """Say what of the hosted file's encoding is not as in this clip's."""
    if side.match is None or side.match.exact:
        return []
    return [f"encoded nearly, not exactly, as the hosted file: {'; '.join(side.match.differences)}"]


def _without_value(table: pd.DataFrame) -> list[str]:
    """Say which metrics frames of this size have not."""
    return [metric.need for metric in metrics_named(table.columns) if not defined(table, metric)]


def _path(pair: Pair) -> str:
    if pair.candidate.match is not None:
        return pair.candidate.match.described
    if pair.reference.clip.original is not None:
        return "both files decoded as they were given"
    return "frames as generated, no codec on either side"


def _metric(
    table: pd.DataFrame, metric: Metric, meaning: ScaleOfPrompt, frame_map: Sequence[tuple[int, int]]
) -> MetricRecord:
    value, row = pooled(table, metric), worst_frame(table, metric)
    scale, codec = meaning.scales[metric.info.name], meaning.codec_errors.get(metric.info.name)
    limits = spread(scale.ceilings)
    return MetricRecord(
        pooled=value,
        worst=float(table[metric.info.name].iloc[row]),
        worst_frame=frame_map[row][0],
        floor=None if scale.floor is None else metric.value(scale.floor),
        ceiling=None if scale.ceiling is None else metric.value(scale.ceiling),
        ceiling_spread=None if limits is None else (metric.value(limits[0]), metric.value(limits[1])),
        codec=None if codec is None else metric.value(codec),
        drift=scale.drift(metric.error(value)),
        codec_drift=None if codec is None else scale.drift(codec),
    )


def _parting(table: pd.DataFrame, meaning: ScaleOfPrompt) -> FirstDivergenceRecord | None:
    """Return when the clips part, by the metric that sees it best."""
    drifts = {name: meaning.scales[name].drift(error) for name, error in errors_of(table).items()}
    seen = {name: drift for name, drift in drifts.items() if drift}
    if not seen:
        return None
    (metric,) = metrics_named([max(seen, key=lambda name: seen[name])])
    scale, floor = meaning.scales[metric.info.name], meaning.farthest_floor.get(metric.info.name, 0.0)
    found = parting([metric.error(value) for value in table[metric.info.name]], floor, min(scale.ceilings))
    return FirstDivergenceRecord(metric=metric.info.name, beyond_floor=found.beyond_floor, half_way=found.half_way)


def _resolution(baseline: Side, encoder: Encoder) -> ResolutionRecord:
    prompt = baseline.run.prompt
    if encoder.encoding is None:
        sentence = "nothing was encoded: a difference of one level in one pixel would have been seen"
        return ResolutionRecord(prompt=prompt, sentence=sentence, levels=1, share=0.0)
    failures = Failures()
    with failures.noted(prompt), encoder.timed() as encoding:
        found = planted_resolution(read_clip(encoder.folder / baseline.clip.lossless), encoding)
        levels = found.levels if found.seen else None
        return ResolutionRecord(prompt=prompt, sentence=found.sentence, levels=levels, share=found.share)
    return ResolutionRecord(prompt=prompt, sentence=failures.found[prompt][1], levels=None, share=0.0)


def _resolution_of_files(sides: Sequence[Side]) -> list[ResolutionRecord]:
    """Return what could have been seen where files alone were compared."""
    if len(sides) == 1 or not all(side.clip.original for side in sides):
        return []
    sentence = "Both files were compared as they decode: a difference of one level in one pixel would have been seen."
    return [ResolutionRecord(prompt=sides[0].run.prompt, sentence=sentence, levels=1, share=0.0)]


def _traces(
    reference: RunRecord, candidates: Sequence[RunRecord], comparisons: list[ComparisonRecord], folder: Path
) -> list[TraceComparisonRecord]:
    traced = reference_trace(reference, list(candidates), comparisons)
    if traced is None:
        return []
    found = (compare_traces(traced, run, folder) for run in candidates if run is not traced)
    return [each for each in found if each is not None]


def _write_table(table: pd.DataFrame, record: ComparisonRecord, folder: Path) -> None:
    path = folder / record.frames_csv
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = pd.MultiIndex.from_tuples(record.frame_map, names=["reference_frame", "candidate_frame"])
    table.set_index(numbers).to_csv(path)


def _nothing_compared(reference: RunRecord, candidates: Sequence[RunRecord], reason: str, folder: Path) -> Compared:
    comparisons = [_without_numbers(reference, run, Verdict.NOT_MEASURED, reason) for run in candidates]
    return Compared(
        reference.prompt,
        comparisons,
        [],
        [],
        _traces(reference, candidates, comparisons, folder),
        {run.name: folder / (run.clip.original or run.clip.lossless) for run in candidates if run.clip},
    )


def _without_numbers(reference: RunRecord, run: RunRecord, verdict: Verdict, reason: str) -> ComparisonRecord:
    return ComparisonRecord(
        prompt=run.prompt, reference=reference.name, candidate=run.name, path="", verdict=verdict, evidence=[reason]
    )
