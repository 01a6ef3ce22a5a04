"""What the page's script draws: curves, axes and frame maps as plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from spacediff.record import AuditRecord, ComparisonRecord, MetricInfo, RunRecord
from spacediff.reporting.axes import Axis, linear
from spacediff.reporting.maps import script_map
from spacediff.reporting.previews import Preview, clip_key
from spacediff.reporting.view import PromptView
from spacediff.wording.numbers import number

_INFINITY = 0.2
"""Share of the finite axis that infinite values stand above it."""


def script_view(record: AuditRecord, view: PromptView, embedded: Mapping[str, Preview]) -> dict[str, Any]:
    """Return what the page's script needs to know of a prompt; `embedded` are the previews by their keys."""
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
                "marks": _marks(record, row.comparison) if row.comparison else {},
                "heat": script_map(row.comparison) if row.comparison else None,
            }
            for row in view.rows
        ],
    }


def _marks(record: AuditRecord, comparison: ComparisonRecord) -> dict[str, Any]:
    """Return the reference's frames that stand out: the worst by each metric, and the first that diverges."""
    divergent = comparison.first_divergence.beyond_floor if comparison.first_divergence else None
    return {
        "worst": {
            info.name: worst
            for info in record.metrics
            if info.name in comparison.metrics and (worst := comparison.metrics[info.name].worst_frames)
        },
        "divergence": None if divergent is None else comparison.frame_map[divergent][0],
    }


def _curves(record: AuditRecord, comparison: ComparisonRecord) -> dict[str, Any]:
    return {
        **{info.name: _curve(info, comparison) for info in record.metrics if info.name in comparison.per_frame},
        **{info.name: _measure_curve(info, comparison) for info in record.measures if info.name in comparison.measures},
    }


def _script_clip(run: RunRecord | None, embedded: Mapping[str, Preview]) -> dict[str, Any] | None:
    if run is None or run.clip is None or clip_key(run.clip) not in embedded:
        return None
    clip = run.clip
    return {
        "key": clip_key(clip),
        "frames": clip.frames,
        "fps": clip.fps,
        "still": embedded[clip_key(clip)].still,
        "width": clip.width,
        "height": clip.height,
        "seenWidth": embedded[clip_key(clip)].width,
        "seenHeight": embedded[clip_key(clip)].height,
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
    axis = linear([v for v in (*values, *marks) if math.isfinite(v)])
    return _axis(axis, infinite=any(math.isinf(v) for v in (*values, *marks)), up=info.higher_is_closer)


def _measure_axis(info: MetricInfo, comparisons: list[ComparisonRecord]) -> dict[str, Any]:
    measures = [c.measures[info.name] for c in comparisons if info.name in c.measures]
    values = [v for m in measures for v in (*m.reference_frames, *m.candidate_frames) if math.isfinite(v)]
    return _axis(linear(values), infinite=False, up=False)


def _axis(axis: Axis, *, infinite: bool, up: bool) -> dict[str, Any]:
    """Return an axis as the page draws it; infinite values get a mark of their own, above all others."""
    beyond = axis.high + _INFINITY * (axis.high - axis.low) if infinite else None
    return {
        "low": axis.low,
        "high": axis.high if beyond is None else beyond,
        "ticks": [*axis.ticks, *([] if beyond is None else [(beyond, "∞")])],
        "infinite": beyond,
        "closer": "up" if up else "down",
    }
