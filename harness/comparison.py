"""Compare: hold every clip of a prompt against its reference, like with like, and place it on the scale.

The key insight is that all candidates of a prompt are scored in one pass over the reference, the other seeds and the
re-run among them; the scale comes out of the same table as the numbers that it gives a meaning to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from harness.clip import read_frames
from harness.metrics import METRICS, Metric
from harness.metrics.scoring import pooled, score, worst_frame
from harness.record import ClipRecord, ComparisonRecord, MetricRecord, Role, RunRecord, Verdict
from harness.verdict import Findings, Scale, combined_drift, judge, spread


@dataclass(frozen=True)
class _Yardstick:
    """What the numbers of one prompt mean.

    Attributes:
        scales: Metric name to floor and ceilings.
        codec_errors: Metric title to what encoding alone does.
    """

    scales: Mapping[str, Scale]
    codec_errors: Mapping[str, float]


@dataclass(frozen=True)
class _Side:
    """A clip of a comparison: its record and the file whose frames are scored."""

    run: RunRecord
    clip: ClipRecord
    file: Path


def compare_prompt(
    reference: RunRecord,
    candidates: Sequence[RunRecord],
    folder: Path,
    on_frame: Callable[[int, int], None],
) -> list[ComparisonRecord]:
    """Compare all clips of a prompt with its reference.

    Args:
        reference: The reference's run.
        candidates: The other runs of the prompt, the re-run and the other seeds among them.
        folder: The audit folder; `frames.csv` of each comparison is written into it.
        on_frame: Told how many of the reference's frames are scored, and how many there are.

    Returns:
        A comparison for each candidate; what could not be compared says why.
    """
    if reference.clip is None:
        return [_unmeasured(reference, run, f"there is no reference: {reference.reason}") for run in candidates]
    ours = _Side(reference, reference.clip, folder / (reference.clip.original or reference.clip.lossless))
    encoded = reference.clip.original is not None
    sides = {
        run.name: _Side(run, run.clip, folder / _scored_file(run.clip, encoded=encoded))
        for run in candidates
        if run.clip is not None
    }
    comparable = {name: side for name, side in sides.items() if _obstacle(ours, side) is None}
    tables = score(
        read_frames(ours.file),
        {name: read_frames(side.file) for name, side in comparable.items()},
        on_frame=lambda done: on_frame(done, ours.clip.frames),
    )
    yardstick = _Yardstick(_scales(tables, sides, folder), _codec_errors(sides, folder))
    compared: list[ComparisonRecord] = []
    for run in candidates:
        side = sides.get(run.name)
        if side is None:
            compared.append(_unmeasured(reference, run, run.reason))
        elif (obstacle := _obstacle(ours, side)) is not None:
            compared.append(_incomparable(reference, run, obstacle))
        else:
            compared.append(_compared(ours, side, tables[run.name], yardstick, folder))
    return compared


def _scored_file(clip: ClipRecord, *, encoded: bool) -> str:
    """Return the file to score: encoded where the reference has been, untouched where it was given so."""
    if clip.original is not None:
        return clip.original
    return clip.delivered if encoded and clip.delivered is not None else clip.lossless


def _obstacle(reference: _Side, candidate: _Side) -> str | None:
    ours, theirs = reference.clip, candidate.clip
    if (ours.width, ours.height) != (theirs.width, theirs.height):
        return f"the reference is {ours.width}x{ours.height} pixels, this clip {theirs.width}x{theirs.height}"
    return None


def _compared(
    reference: _Side,
    candidate: _Side,
    table: pd.DataFrame,
    yardstick: _Yardstick,
    folder: Path,
) -> ComparisonRecord:
    notes = _mapping_notes(reference.clip, candidate.clip, len(table))
    findings = Findings(
        equal=bool((table["mae"] == 0).all()),
        encoded=reference.clip.original is not None and candidate.clip.original is None,
        complete=not notes,
        errors=_errors(table),
        scales={metric.info.title: yardstick.scales[metric.info.name] for metric in METRICS},
        codec_errors=dict(yardstick.codec_errors),
    )
    verdict, evidence = judge(findings)
    return ComparisonRecord(
        prompt=candidate.run.prompt,
        reference=reference.run.name,
        candidate=candidate.run.name,
        path=_path(reference.clip, candidate.clip),
        notes=notes,
        frame_map=[(number, number) for number in range(len(table))],
        identical=findings.equal and findings.complete,
        per_frame={str(name): values.tolist() for name, values in table.items() if values.notna().all()},
        metrics={
            metric.info.name: _metric(table, metric, yardstick.scales[metric.info.name])
            for metric in METRICS
            if _defined(table, metric)
        },
        frames_csv=_write_table(table, candidate.run, folder),
        drift=combined_drift(findings),
        verdict=verdict,
        evidence=evidence,
    )


def _mapping_notes(ours: ClipRecord, theirs: ClipRecord, compared: int) -> list[str]:
    notes = []
    if ours.frames != theirs.frames:
        notes.append(
            f"the reference has {ours.frames} frames, this clip {theirs.frames}: the first {compared} of both are held "
            "against each other by their number"
        )
    if not np.isclose(ours.fps, theirs.fps, rtol=1e-3):
        notes.append(
            f"the reference plays at {ours.fps:g} fps, this clip at {theirs.fps:g}: frames are held against each other "
            "by their number, not by their time"
        )
    return notes


def _path(ours: ClipRecord, theirs: ClipRecord) -> str:
    if ours.original is None:
        return "frames as generated, no codec on either side"
    if theirs.original is not None:
        return "both files decoded as they were given"
    return "the reference's file against local frames encoded by export_to_video, both decoded the same way"


def _metric(table: pd.DataFrame, metric: Metric, scale: Scale) -> MetricRecord:
    value, row = pooled(table, metric), worst_frame(table, metric)
    limits = spread(scale.ceilings)
    return MetricRecord(
        pooled=value,
        worst=float(table[metric.info.name].iloc[row]),
        worst_frame=row,
        floor=None if scale.floor is None else metric.value(scale.floor),
        ceiling=None if scale.ceiling is None else metric.value(scale.ceiling),
        ceiling_spread=None if limits is None else (metric.value(limits[0]), metric.value(limits[1])),
        drift=scale.drift(metric.error(value)),
    )


def _scales(tables: Mapping[str, pd.DataFrame], sides: Mapping[str, _Side], folder: Path) -> dict[str, Scale]:
    """Return each metric's floor (re-run against baseline) and ceilings (other seeds against the reference)."""
    seeds = [name for name, side in sides.items() if side.run.role is Role.SEED and name in tables]
    floor = _rerun_errors(sides, folder)
    return {
        metric.info.name: Scale(
            floor.get(metric.info.title),
            tuple(_errors(tables[name])[metric.info.title] for name in seeds if _defined(tables[name], metric)),
        )
        for metric in METRICS
    }


def _rerun_errors(sides: Mapping[str, _Side], folder: Path) -> dict[str, float]:
    baseline, rerun = sides.get("baseline"), sides.get("rerun")
    if baseline is None or rerun is None:
        return {}
    if baseline.clip.digest == rerun.clip.digest:
        return {metric.info.title: 0.0 for metric in METRICS}
    return _errors(_table(folder / baseline.clip.lossless, folder / rerun.clip.lossless))


def _codec_errors(sides: Mapping[str, _Side], folder: Path) -> dict[str, float]:
    """Return what encoding alone does to the baseline's frames."""
    baseline = sides.get("baseline")
    if baseline is None or baseline.clip.delivered is None:
        return {}
    if _obstructed_by_scaling(baseline.clip):
        return {}
    return _errors(_table(folder / baseline.clip.lossless, folder / baseline.clip.delivered))


def _obstructed_by_scaling(clip: ClipRecord) -> bool:
    return bool(clip.width % 16 or clip.height % 16)  # export_to_video scales such frames up


def _table(left: Path, right: Path) -> pd.DataFrame:
    return score(read_frames(left), {"right": read_frames(right)})["right"]


def _errors(table: pd.DataFrame) -> dict[str, float]:
    return {metric.info.title: metric.error(pooled(table, metric)) for metric in METRICS if _defined(table, metric)}


def _defined(table: pd.DataFrame, metric: Metric) -> bool:
    return bool(len(table)) and bool(table[metric.info.name].notna().all())


def _write_table(table: pd.DataFrame, run: RunRecord, folder: Path) -> str:
    place = Path("comparisons") / run.prompt / run.name
    (folder / place).mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / place / "frames.csv")
    return str(place / "frames.csv")


def _unmeasured(reference: RunRecord, run: RunRecord, reason: str) -> ComparisonRecord:
    return _without_numbers(reference, run, Verdict.NOT_MEASURED, reason)


def _incomparable(reference: RunRecord, run: RunRecord, reason: str) -> ComparisonRecord:
    return _without_numbers(reference, run, Verdict.NOT_COMPARABLE, reason)


def _without_numbers(reference: RunRecord, run: RunRecord, verdict: Verdict, reason: str) -> ComparisonRecord:
    return ComparisonRecord(
        prompt=run.prompt, reference=reference.name, candidate=run.name, path="", verdict=verdict, evidence=[reason]
    )
