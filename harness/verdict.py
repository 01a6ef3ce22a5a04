"""Floor, ceiling, drift, verdict: what a divergence is worth.

The key insight: "17.3 dB" means nothing alone. The same audit measures what means nothing (a re-run: the floor) and
what two unrelated samples look like (other seeds: the ceiling), and places each divergence between them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.record import Verdict


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

        None is "cannot tell": the scale is not measured, or even the nearest other seed is no farther than a re-run.
        """
        if self.floor is None or self.ceiling is None or math.isnan(error) or min(self.ceilings) <= self.floor:
            return None
        return max(0.0, (error - self.floor) / (self.ceiling - self.floor))


@dataclass(frozen=True)
class Findings:
    """What is known of one comparison.

    Attributes:
        equal: Whether all compared frames are equal byte for byte.
        encoded: Whether the reference has been through a codec, and the candidate was put through the same.
        complete: Whether every frame of both was compared, at one rate and size.
        errors: Metric title to error.
        scales: Metric title to its scale.
        codec_errors: Metric title to what the codec alone does to a clip; empty when not measured.
    """

    equal: bool
    encoded: bool
    complete: bool
    errors: dict[str, float]
    scales: dict[str, Scale]
    codec_errors: dict[str, float]


def combined_drift(findings: Findings) -> float | None:
    """Return the largest drift of all metrics, so that what any of them sees counts; None when none can tell."""
    drifts = [findings.scales[title].drift(error) for title, error in findings.errors.items()]
    return max((drift for drift in drifts if drift is not None), default=None)


def judge(findings: Findings) -> tuple[Verdict, list[str]]:
    """Return the class and the sentences that it rests on.

    No class has a threshold of its own: `numeric drift` is less than the codec does, `different sample` is at least
    as far as the nearest other seed, and `settings differ` is what lies between.
    """
    evidence = _drift_sentences(findings)
    if findings.equal and findings.complete:
        if findings.encoded:
            return Verdict.CODEC_ONLY, ["after the same encoding, every frame equals the reference byte for byte"]
        return Verdict.IDENTICAL, ["every frame equals the reference byte for byte"]
    if findings.equal:
        evidence.insert(0, "the frames that both clips have are equal byte for byte")
    if _all(findings, lambda title, error: error < findings.codec_errors.get(title, 0.0)):
        return Verdict.NUMERIC_DRIFT, ["by every metric the difference is smaller than what the codec does", *evidence]
    if _all(findings, lambda title, error: error >= min(findings.scales[title].ceilings, default=math.inf)):
        return Verdict.DIFFERENT_SAMPLE, ["by every metric at least as far as the nearest other seed", *evidence]
    nearer = "nearer than another seed" if any(scale.ceilings for scale in findings.scales.values()) else ""
    return Verdict.SETTINGS_DIFFER, [
        f"{nearer or 'other seeds were not measured'}, and more than the codec does",
        *evidence,
    ]


def _all(findings: Findings, holds: Callable[[str, float], bool]) -> bool:
    return bool(findings.errors) and all(holds(title, error) for title, error in findings.errors.items())


def _drift_sentences(findings: Findings) -> list[str]:
    return [_sentence(title, error, findings.scales[title]) for title, error in findings.errors.items()]


def _sentence(title: str, error: float, scale: Scale) -> str:
    drift = scale.drift(error)
    if drift is None:
        return f"{title}: drift cannot be told, floor and ceiling do not separate"
    return f"{title}: drift {drift:.3f} on a scale from a re-run (0) to another seed (1)"


def spread(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the lowest and the highest value; None when there are none."""
    return (min(values), max(values)) if values else None
