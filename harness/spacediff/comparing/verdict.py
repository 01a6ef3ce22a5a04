"""Floor, ceiling, drift, verdict: what an error means.

The key insight: "17.3 dB" means nothing alone. The same audit measures what means nothing (a re-run: the floor) and
what two unrelated samples look like (other seeds: the ceiling), and places each error between them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from spacediff.codec.stand_in import STAND_IN_QUALITY
from spacediff.metrics.tiles import Tile
from spacediff.record import Fact, FactKind, Verdict, fact


@dataclass(frozen=True)
class Scale:
    """What errors of one metric mean, all on the metric's error scale (0 for equal clips).

    Attributes:
        floor: The error where nothing differs but a re-run; None when it was not measured.
        ceilings: The errors of the other seeds, one each.
    """

    floor: float | None
    ceilings: tuple[float, ...]

    @property
    def ceiling(self) -> float | None:
        """Mean error of the other seeds; None when there are none."""
        return math.fsum(self.ceilings) / len(self.ceilings) if self.ceilings else None

    def drift(self, error: float) -> float | None:
        """Return (error - floor) / (ceiling - floor), never below 0.

        None is "unknown": the scale is not measured, or even the nearest other seed is no farther than a re-run.
        """
        if self.floor is None or self.ceiling is None or math.isnan(error) or min(self.ceilings) <= self.floor:
            return None
        return max(0.0, (error - self.floor) / (self.ceiling - self.floor))


class Codec(Enum):
    """A codec whose own loss a difference is compared with: between the clips, beside them, or none that was used."""

    REFERENCE = "that of the reference's file"
    EXPORT = "the baseline's own export"
    STAND_IN = "JPEG, where none was used"


@dataclass(frozen=True)
class Findings:
    """What is known of one comparison.

    Attributes:
        equal: Whether all compared frames are equal byte for byte.
        encoded: Whether the reference has been through a codec, and the candidate was put through the same.
        processed: What had to be done to align the clips; empty when whole frames lie on each other.
        errors: Metric name to error.
        scales: Metric name to its scale.
        codec_errors: Metric name to what the codec alone does to a clip; empty when not measured.
        codec: What this codec is.
        worst: The tile that differs most; None where no pixel differs.
        codec_worst: The same for the codec alone; None when not measured.
        titles: Metric name to its title.
        encoded_again: Which of two files is the other one, encoded again; None where neither is known to be.
        timing_known: Whether it is known which frames belong together; otherwise they were paired by number.
        position_known: Whether it is known how the pictures lie on each other; otherwise they were only scaled.
    """

    equal: bool
    encoded: bool
    processed: tuple[Fact, ...]
    errors: Mapping[str, float]
    scales: Mapping[str, Scale]
    codec_errors: Mapping[str, float]
    titles: Mapping[str, str]
    codec: Codec = Codec.REFERENCE
    worst: Tile | None = None
    codec_worst: Tile | None = None
    encoded_again: Fact | None = None
    timing_known: bool = True
    position_known: bool = True


def combined_drift(findings: Findings) -> float | None:
    """Return the largest drift of all metrics, so that what any of them sees counts; None when all are unknown."""
    drifts = [findings.scales[name].drift(error) for name, error in findings.errors.items()]
    return max((drift for drift in drifts if drift is not None), default=None)


def seed_drifts(findings: Findings) -> list[float]:
    """Return the combined drift of each other seed, by the rule of `combined_drift`; empty when all are unknown."""
    drifts = [
        [findings.scales[name].drift(error) for error in findings.scales[name].ceilings] for name in findings.errors
    ]
    seeds = [[drift for drift in seed if drift is not None] for seed in zip(*drifts, strict=False)]
    return [max(seed) for seed in seeds if seed]


def judge(findings: Findings) -> tuple[Verdict, list[Fact]]:
    """Return the verdict and the facts that it rests on.

    No verdict has a threshold of its own: `different sample` is a drift at least that of the nearest other seed; of
    what is closer, `numeric drift` is no larger than the codec's own loss, by every metric and in the worst tile of the
    worst frame, where that loss is itself smaller than the distance of the nearest seed; `settings differ` is the rest.
    """
    verdict, reasons = judge_frames(findings)
    known_equal = findings.equal or findings.encoded_again is not None
    metrics = [] if known_equal else _metric_facts(findings, verdict)
    if not findings.processed:
        return verdict, [*reasons, *metrics]
    if verdict in {Verdict.DIFFERS, Verdict.SETTINGS_DIFFER} and not findings.timing_known:
        return Verdict.NOT_COMPARABLE, [*findings.processed, fact(FactKind.MOMENTS_UNKNOWN)]
    evidence = [*findings.processed, fact(FactKind.AFTER_ALIGNMENT, *reasons), *metrics]
    if verdict is Verdict.DIFFERENT_SAMPLE or (verdict is Verdict.DIFFERS and not findings.position_known):
        return verdict, evidence
    return Verdict.POST_PROCESSED, evidence


def judge_frames(findings: Findings) -> tuple[Verdict, list[Fact]]:
    """Return the verdict on the compared frames, whatever was done to align them, and the facts that it rests on."""
    if findings.encoded_again:
        return Verdict.CODEC_ONLY, [findings.encoded_again]
    if findings.equal:
        verdict = Verdict.CODEC_ONLY if findings.encoded else Verdict.IDENTICAL
        return verdict, [fact(FactKind.EVERY_FRAME_EQUAL, encoded=findings.encoded)]
    drift, seeds = combined_drift(findings), seed_drifts(findings)
    if drift is not None and seeds and drift >= min(seeds):
        return Verdict.DIFFERENT_SAMPLE, [fact(FactKind.AS_FAR_AS_A_SEED, drift=drift, nearest=min(seeds))]
    tile = _tile_fact(findings) if _codec_separates(findings, seeds) else None
    if tile and tile.kind is FactKind.WORST_TILE_WITHIN:
        return Verdict.NUMERIC_DRIFT, [_within(findings.codec), tile]
    hidden = [tile] if tile and findings.codec is not Codec.STAND_IN else []
    if drift is None or not seeds:
        return Verdict.DIFFERS, [fact(FactKind.DRIFT_OF_FRAMES_UNKNOWN), *hidden]
    closer = fact(FactKind.CLOSER_THAN_SEEDS, drift=drift, nearest=min(seeds), seeds=len(seeds))
    return Verdict.SETTINGS_DIFFER, [closer, *hidden]


def within_codec_loss(errors: Mapping[str, float], codec_errors: Mapping[str, float]) -> bool:
    """Return whether no metric's pooled error exceeds the codec's own loss; the worst tile is to be asked next."""
    return bool(errors) and all(error <= codec_errors.get(name, 0.0) for name, error in errors.items())


def _within(codec: Codec) -> Fact:
    if codec is Codec.STAND_IN:
        return fact(FactKind.WITHIN_STAND_IN_LOSS, quality=STAND_IN_QUALITY)
    return fact(FactKind.WITHIN_CODEC_LOSS if codec is Codec.REFERENCE else FactKind.WITHIN_EXPORT_LOSS)


def _codec_separates(findings: Findings, seeds: Sequence[float]) -> bool:
    """Whether the codec loses less than two samples differ; otherwise even a different seed is within its loss."""
    codec = combined_drift(replace(findings, errors=findings.codec_errors))
    return codec is None or not seeds or codec < min(seeds)


def _tile_fact(findings: Findings) -> Fact | None:
    """Return how the worst tile compares with the codec's own; None where a metric exceeds the codec's loss anyway."""
    worst, codec = findings.worst, findings.codec_worst
    if worst is None or codec is None or not within_codec_loss(findings.errors, findings.codec_errors):
        return None
    kind = FactKind.WORST_TILE_WITHIN if worst.error <= codec.error else FactKind.WORST_TILE_ABOVE
    return fact(kind, error=worst.error, codec=codec.error, frame=worst.frame, x=worst.x, y=worst.y)


def _metric_facts(findings: Findings, verdict: Verdict) -> list[Fact]:
    """Return one fact for each metric, or a single one where no drift is known for the same reason."""
    with_codec = verdict is Verdict.NUMERIC_DRIFT and findings.codec is not Codec.STAND_IN
    facts = [_metric_fact(name, findings, with_codec=with_codec) for name in findings.errors]
    if any(each.kind is FactKind.METRIC_DRIFT for each in facts):
        return facts
    nameless = [fact(each.kind, **{**each.values, "metric": ""}) for each in facts]
    return nameless[:1] if all(each == nameless[0] for each in nameless) else facts


def _metric_fact(name: str, findings: Findings, *, with_codec: bool) -> Fact:
    title, error, scale = findings.titles[name], findings.errors[name], findings.scales[name]
    codec = findings.codec_errors.get(name, 0.0)
    share = (error / codec if codec else 0.0) if with_codec else None
    drift = scale.drift(error)
    if drift is not None:
        return fact(FactKind.METRIC_DRIFT, metric=title, drift=drift, codec_share=share)
    measured = {"rerun": scale.floor is not None, "seeds": bool(scale.ceilings)}
    return fact(FactKind.METRIC_DRIFT_UNKNOWN, metric=title, codec_share=share, **measured)


def spread(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the lowest and the highest value; None when there are none."""
    return (min(values), max(values)) if values else None
