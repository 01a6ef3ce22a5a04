"""The record of one comparison: what the scores of two aligned clips mean on the scale of their prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from spacediff.comparing.contents import judged_by_content
from spacediff.comparing.failures import Failed
from spacediff.comparing.floor_and_ceiling import ScaleOfPrompt, defined, errors_of
from spacediff.comparing.pairing import Pair, Side
from spacediff.comparing.tiles import sizes_of_tiles
from spacediff.comparing.verdict import Codec, Findings, combined_drift, judge, spread
from spacediff.metrics import Metric, metrics_named
from spacediff.metrics.motion import first_divergence
from spacediff.metrics.scoring import pooled, worst_frame
from spacediff.metrics.ssim_map import MapTile
from spacediff.metrics.tiles import Tile
from spacediff.record import (
    ComparisonRecord,
    Fact,
    FactKind,
    FirstDivergenceRecord,
    MapRecord,
    MeasureRecord,
    MetricRecord,
    Role,
    RunRecord,
    WorstTileRecord,
    fact,
)

if TYPE_CHECKING:
    import pandas as pd

_STILL = 0.005
"""Share of another clip's motion that reads 0.00."""


@dataclass(frozen=True, eq=False)
class Scored:
    """An aligned pair with all that is measured of its frames.

    Attributes:
        pair: The pair.
        table: One row for each pair of frames, one column for each metric.
        map_tiles: One tile of the SSIM map for each pair of frames; empty if they are too small.
        worst: The tile that differs most, its frame as the number of the pair; None where no pixel differs.
        of_reference: The measures of the reference's frames, one row for each pair, one column for each measure.
        of_candidate: The same of the candidate's.
        encoded_again: Which of two files is the other one, encoded again; None where neither is.
    """

    pair: Pair
    table: pd.DataFrame
    map_tiles: tuple[MapTile, ...]
    worst: Tile | None
    of_reference: pd.DataFrame
    of_candidate: pd.DataFrame
    encoded_again: Fact | None


def findings_of(scored: Scored, scale: ScaleOfPrompt) -> Findings:
    """Gather what a verdict rests on."""
    pair, table, codec = scored.pair, scored.table, scale.codec
    return Findings(
        equal=bool((table["mae"] == 0).all()),
        encoded=pair.candidate.match is not None,
        processed=() if pair.alike else pair.notes,
        errors=errors_of(table),
        scales=scale.scales,
        codec_errors=codec.errors if codec else {},
        codec=codec.of if codec else Codec.REFERENCE,
        worst=_in_reference(scored),
        codec_worst=codec.worst if codec else None,
        titles={metric.name: metric.info.title for metric in metrics_named(table.columns)},
        encoded_again=scored.encoded_again,
        timing_known=pair.alignment.timing_known,
        position_known=pair.alignment.position_known,
    )


def comparison_record(
    scored: Scored,
    findings: Findings,
    scale: ScaleOfPrompt,
    *,
    measures: dict[str, MeasureRecord],
    heat: MapRecord | None,
) -> ComparisonRecord:
    """Make the record of a comparison.

    Args:
        scored: The pair with its scores.
        findings: What the verdict rests on.
        scale: The scale of the prompt.
        measures: Measure name to what it is on both sides.
        heat: Where in the pictures they differ; None where that is not mapped.
    """
    pair, table = scored.pair, scored.table
    run = pair.candidate.run
    verdict, evidence = judged_by_content(judge(findings), pair.reference.run, run)
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
            metric.name: _metric(table, metric, scale, pair.alignment.frame_map)
            for metric in metrics_named(table.columns)
            if defined(table, metric)
        },
        worst_tile=_worst_tile(findings.worst, scale),
        measures=measures,
        first_divergence=None if pair.reference.clip.medium == "pictures" else _first_divergence(table, scale),
        frames_csv=(Path("comparisons") / run.prompt / run.name / "frames.csv").as_posix(),
        map=heat,
        drift=combined_drift(findings),
        verdict=verdict,
        evidence=[
            *sizes_of_tiles(pair.reference.run, run),
            *_from_cache(run),
            *evidence,
            *(_frozen(measures["motion"]) if "motion" in measures else []),
        ],
    )


def without_numbers(reference: RunRecord, run: RunRecord, failed: Failed) -> ComparisonRecord:
    """Make the record of a comparison that failed."""
    return ComparisonRecord(
        prompt=run.prompt,
        reference=reference.name,
        candidate=run.name,
        verdict=failed.verdict,
        evidence=[*sizes_of_tiles(reference, run), failed.reason],
    )


def _in_reference(scored: Scored) -> Tile | None:
    """Return the tile that differs most; its frame is numbered as in the reference."""
    tile = scored.worst
    return tile and replace(tile, frame=scored.pair.alignment.frame_map[tile.frame][0])


def _worst_tile(tile: Tile | None, of_prompt: ScaleOfPrompt) -> WorstTileRecord | None:
    if tile is None:
        return None
    scale, codec = of_prompt.tiles, of_prompt.codec
    lossy = codec is not None and codec.of is not Codec.STAND_IN
    return WorstTileRecord(
        **asdict(tile),
        floor=scale.floor,
        ceiling=scale.ceiling,
        ceiling_spread=spread(scale.ceilings),
        codec=codec.worst.error if codec and codec.worst and lossy else None,
        drift=scale.drift(tile.error),
    )


def _frozen(motion: MeasureRecord) -> list[Fact]:
    """Note that one of two clips stands still; what rounds to none of the other's motion is none."""
    for candidate, own, other in (
        (True, motion.candidate, motion.reference),
        (False, motion.reference, motion.candidate),
    ):
        if own < _STILL * other:
            return [fact(FactKind.STANDS_STILL, candidate=candidate, share=own / other)]
    return []


def _from_cache(run: RunRecord) -> list[Fact]:
    """Note that a repeat of the reference came from a cache."""
    return [fact(FactKind.SPACE_REPEAT_CACHED, differs=False)] if run.role is Role.REPEAT and run.cached else []


def _not_repeated(side: Side) -> list[Fact]:
    """Note how the encoding of a clip differs from the hosted file's."""
    if side.match is None or side.match.exact:
        return []
    return [fact(FactKind.NOT_ENCODED_EXACTLY, *side.match.differences)]


def _without_value(table: pd.DataFrame) -> list[Fact]:
    """Note which metrics are not defined for frames of this size."""
    return [
        fact(FactKind.METRIC_UNDEFINED, metric=metric.info.title, smallest_side=metric.smallest_side)
        for metric in metrics_named(table.columns)
        if not defined(table, metric)
    ]


def _path(pair: Pair) -> list[Fact]:
    if pair.candidate.match is not None:
        return [*pair.candidate.match.path]
    given, generated = pair.reference.clip.original is not None, pair.candidate.clip.original is None
    if given and generated:
        return [fact(FactKind.LOSSLESS_REFERENCE, codec=pair.reference.clip.encoding.split()[0])]
    return [fact(FactKind.FILES_AS_GIVEN if given else FactKind.FRAMES_AS_GENERATED)]


def _metric(
    table: pd.DataFrame, metric: Metric, of_prompt: ScaleOfPrompt, frame_map: Sequence[tuple[int, int]]
) -> MetricRecord:
    value, row = pooled(table, metric), worst_frame(table, metric)
    scale, codec = of_prompt.scales[metric.name], of_prompt.codec_errors.get(metric.name)
    limits = spread(scale.ceilings)
    return MetricRecord(
        pooled=value,
        worst=float(table[metric.name].iloc[row]),
        worst_frame=frame_map[row][0],
        floor=None if scale.floor is None else metric.value(scale.floor),
        ceiling=None if scale.ceiling is None else metric.value(scale.ceiling),
        ceiling_spread=None if limits is None else (metric.value(limits[0]), metric.value(limits[1])),
        codec=None if codec is None else metric.value(codec),
        drift=scale.drift(metric.error(value)),
        codec_drift=None if codec is None else scale.drift(codec),
    )


def _first_divergence(table: pd.DataFrame, of_prompt: ScaleOfPrompt) -> FirstDivergenceRecord | None:
    """Return when the clips diverge, by the metric that shows it best."""
    drifts = {name: of_prompt.scales[name].drift(error) for name, error in errors_of(table).items()}
    seen = {name: drift for name, drift in drifts.items() if drift}
    if not seen:
        return None
    (metric,) = metrics_named([max(seen, key=lambda name: seen[name])])
    scale, floor = of_prompt.scales[metric.name], of_prompt.farthest_floor.get(metric.name, 0.0)
    found = first_divergence([metric.error(value) for value in table[metric.name]], floor, min(scale.ceilings))
    return FirstDivergenceRecord(metric=metric.name, beyond_floor=found.beyond_floor, half_way=found.half_way)
