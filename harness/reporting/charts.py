"""What the page's script draws: curves, axes and frame maps as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from harness.record import AuditRecord, ClipRecord, ComparisonRecord, MetricInfo, RunRecord
from harness.reporting.axes import linear
from harness.reporting.numbers import number
from harness.reporting.view import PromptView


def clip_key(clip: ClipRecord) -> str:
    """Name the preview of a clip: the same frames at the same rate are embedded once."""
    return f"{clip.digest}@{clip.fps:g}"


def script_view(record: AuditRecord, view: PromptView, embedded: Iterable[str]) -> dict[str, Any]:
    """Return what the page's script needs to know of a prompt."""
    comparisons = [row.comparison for row in view.rows if row.comparison]
    return {
        "name": view.prompt.name,
        "first": view.first,
        "clip": _script_clip(view.reference, embedded),
        "axes": {
            **{info.name: _metric_axis(info, comparisons) for info in record.metrics},
            **{info.name: _measure_axis(info, comparisons) for info in record.measures},
        },
        "variants": [
            {
                "name": row.run.name,
                "control": row.control,
                "clip": _script_clip(row.run, embedded),
                "pairs": row.comparison.frame_map if row.comparison else [],
                "curves": _curves(record, row.comparison) if row.comparison else {},
            }
            for row in view.rows
        ],
    }


def _curves(record: AuditRecord, comparison: ComparisonRecord) -> dict[str, Any]:
    return {
        **{info.name: _curve(info, comparison) for info in record.metrics if info.name in comparison.per_frame},
        **{info.name: _measure_curve(info, comparison) for info in record.measures if info.name in comparison.measures},
    }


def _script_clip(run: RunRecord | None, embedded: Iterable[str]) -> dict[str, Any] | None:
    if run is None or run.clip is None or clip_key(run.clip) not in embedded:
        return None
    clip = run.clip
    return {
        "key": clip_key(clip),
        "frames": clip.frames,
        "fps": clip.fps,
        "width": clip.width,
        "height": clip.height,
    }


def _curve(info: MetricInfo, comparison: ComparisonRecord) -> dict[str, Any]:
    values = comparison.per_frame[info.name]
    scale = comparison.metrics.get(info.name)
    return {
        "values": [_plain(v) for v in values],
        "shown": [number(v, info) for v in values],
        "floor": _plain(scale.floor) if scale else None,
        "ceiling": _plain(scale.ceiling) if scale else None,
        "spread": [_plain(v) for v in scale.ceiling_spread] if scale and scale.ceiling_spread else None,
        "reference": None,
    }


def _measure_curve(info: MetricInfo, comparison: ComparisonRecord) -> dict[str, Any]:
    """Return a measure of the candidate, with the reference's as the line that it is read against."""
    measure = comparison.measures[info.name]
    return {
        "values": [_plain(v) for v in measure.candidate_frames],
        "shown": [number(v, info) for v in measure.candidate_frames],
        "floor": None,
        "ceiling": None,
        "spread": None,
        "reference": [_plain(v) for v in measure.reference_frames],
    }


def _plain(v: float | None) -> float | str | None:
    if v is None or math.isnan(v):
        return None
    return "inf" if math.isinf(v) else v


def _metric_axis(info: MetricInfo, comparisons: list[ComparisonRecord]) -> dict[str, Any]:
    """Return one axis for all curves of a metric, so that curves of two variants can be compared by eye."""
    values = [v for c in comparisons for v in c.per_frame.get(info.name, [])]
    scales = [c.metrics[info.name] for c in comparisons if info.name in c.metrics]
    marks = [v for s in scales for v in (s.floor, s.ceiling, *(s.ceiling_spread or ())) if v is not None]
    return {
        **_axis([v for v in (*values, *marks) if math.isfinite(v)]),
        "infinite": any(math.isinf(v) for v in values),
        "closer": "up" if info.higher_is_closer else "down",
    }


def _measure_axis(info: MetricInfo, comparisons: list[ComparisonRecord]) -> dict[str, Any]:
    measures = [c.measures[info.name] for c in comparisons if info.name in c.measures]
    values = [v for m in measures for v in (*m.reference_frames, *m.candidate_frames) if math.isfinite(v)]
    return {**_axis(values), "infinite": False, "closer": "down"}


def _axis(finite: list[float]) -> dict[str, Any]:
    axis = linear(finite)
    return {"low": axis.low, "high": axis.high, "ticks": [[v, text] for v, text in axis.ticks]}
