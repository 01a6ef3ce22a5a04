"""The scale of one prompt: what its numbers mean, measured in the same audit and on the same path.

The floor is what differs when nothing was changed: the baseline run again here, and the Space asked again where the
scenario says so and no cache answers. The ceiling is how far two unrelated samples differ: the baseline with other
seeds. The third number is what the codec alone does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spacediff.clip import Frame, probe, read_frames
from spacediff.codec.stand_in import through_stand_in
from spacediff.comparing.pairing import Side
from spacediff.comparing.verdict import Codec, Scale
from spacediff.metrics import Metric, metrics_named
from spacediff.metrics.scoring import Measured, measure_clips, pooled
from spacediff.metrics.tiles import Tile
from spacediff.record import ClipRecord, InsteadRecord, Role, RunRecord

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CodecLoss:
    """What encoding alone does to the baseline.

    Attributes:
        errors: Metric name to the error.
        worst: The tile that loses most; None where no pixel changes.
        of: What encoded it.
    """

    errors: Mapping[str, float]
    worst: Tile | None
    of: Codec


@dataclass(frozen=True)
class ScaleOfPrompt:
    """What the numbers of one prompt mean.

    Attributes:
        scales: Metric name to floor and ceilings.
        codec: What encoding alone does to the baseline; None when not measured.
        farthest_floor: Metric name to the error of the floor's farthest single frame; empty when not measured.
        rerun: Metric name to the error of the re-run against the baseline; empty when not measured.
        tiles: Floor and ceilings of the worst tile, in levels.
    """

    scales: Mapping[str, Scale]
    codec: CodecLoss | None
    farthest_floor: Mapping[str, float]
    rerun: Mapping[str, float]
    tiles: Scale

    @property
    def codec_errors(self) -> Mapping[str, float]:
        """Metric name to what a codec that is used does to the baseline; empty where none is or it was not measured."""
        return self.codec.errors if self.codec and self.codec.of is not Codec.STAND_IN else {}


def measure_scale(
    tables: Mapping[str, pd.DataFrame],
    worst: Mapping[str, float],
    sides: Mapping[str, Side],
    folder: Path,
    metrics: tuple[Metric, ...],
) -> ScaleOfPrompt:
    """Measure floor and ceiling.

    Args:
        tables: Run name to its scores against the reference.
        worst: Run name to the error of the worst tile, in levels.
        sides: Run name to its side, the re-run and the other seeds among them.
        folder: The audit folder.
        metrics: What is measured.
    """
    baseline = next((side for side in sides.values() if _is(side, Role.BASELINE)), None)
    rerun = next((side for side in sides.values() if _is(side, Role.RERUN)), None)
    measured = _between(baseline.file, rerun.file, metrics) if baseline and rerun else None
    reference = next((side for side in sides.values() if _is(side, Role.REFERENCE)), None)
    asked_again, seeds = (
        [name for name, side in sides.items() if _is(side, role) and name in tables and not side.run.cached]
        for role in (Role.REPEAT, Role.SEED)
    )
    again_there = [name for name in asked_again if reference is None or repeats(reference.run, sides[name].run)]
    again = [*([measured.table] if measured else []), *(tables[name] for name in again_there)]
    floors = [errors_of(table) for table in again]
    ceilings = [errors_of(tables[name]) for name in seeds]
    of_tiles = [*([_error(measured.worst)] if measured else []), *(worst[name] for name in again_there)]
    return ScaleOfPrompt(
        {
            metric.name: Scale(
                max((floor[metric.name] for floor in floors if metric.name in floor), default=None),
                tuple(errors[metric.name] for errors in ceilings if metric.name in errors),
            )
            for metric in metrics
        },
        _codec_loss(baseline, folder, metrics) if baseline else None,
        {
            metric.name: max(metric.error(value) for table in again for value in table[metric.name])
            for metric in metrics
            if again and all(defined(table, metric) for table in again)
        },
        floors[0] if measured else {},
        Scale(max(of_tiles, default=None), tuple(worst[name] for name in seeds)),
    )


def repeats(reference: RunRecord, run: RunRecord) -> bool:
    """Whether a further request to a Space is known to repeat the first: the same seed, and the same text."""
    both = [each.instead or InsteadRecord() for each in (reference, run)]
    if any((each.own_seed and each.seed is None) or (each.rewritten and not each.prompt) for each in both):
        return False
    return both[0] == both[1]


def errors_of(table: pd.DataFrame) -> dict[str, float]:
    """Return metric name to the pooled error, for the metrics that are defined for these frames."""
    return {
        metric.name: metric.error(pooled(table, metric))
        for metric in metrics_named(table.columns)
        if defined(table, metric)
    }


def defined(table: pd.DataFrame, metric: Metric) -> bool:
    """Return whether a metric has a value in every row."""
    return bool(len(table)) and bool(table[metric.name].notna().all())


def _codec_loss(baseline: Side, folder: Path, metrics: tuple[Metric, ...]) -> CodecLoss:
    """Return what the reference's codec does to the baseline; without one its own export, or else a stand-in."""
    lossless = folder / baseline.clip.lossless
    encoded = folder / baseline.clip.delivered if baseline.clip.delivered else None
    encoded = baseline.file if baseline.match is not None else encoded
    lossy = encoded is not None and (baseline.match is not None or baseline.clip.medium == "video")
    if encoded is None or not lossy or not _is_of_size(encoded, baseline.clip):
        encoded, of = None, Codec.STAND_IN
    else:
        of = Codec.REFERENCE if baseline.match is not None else Codec.EXPORT
    loss = _between(lossless, encoded, metrics)
    return CodecLoss(errors_of(loss.table), loss.worst, of)


def _error(worst: Tile | None) -> float:
    return worst.error if worst else 0.0


def _is_of_size(file: Path, clip: ClipRecord) -> bool:
    """Whether an encoder left the frames at their size."""
    found = probe(file)
    return (found.width, found.height) == (clip.width, clip.height)


def _between(left: Path, right: Path | None, metrics: tuple[Metric, ...]) -> Measured:
    """Measure a file against another one, or against what the stand-in for a codec makes of it."""
    if left == right:  # equal clips are encoded once: no frame differs
        return Measured({metric.name: np.array([metric.value(0.0)]) for metric in metrics})
    return measure_clips(read_frames(left), {"right": _after(left, right)}, metrics, tiled=True)["right"]


def _after(lossless: Path, encoded: Path | None) -> Iterator[Frame]:
    return through_stand_in(read_frames(lossless)) if encoded is None else read_frames(encoded)


def _is(side: Side, role: Role) -> bool:
    return side.run.role is role
