"""Floor, ceiling, drift, verdict: what a divergence is worth.

The key insight: "17.3 dB" means nothing alone. The same audit measures what means nothing (a re-run: the floor) and
what two unrelated samples look like (other seeds: the ceiling), and places each divergence between them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from spacediff.record import Verdict


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
        processed: What had to be done to align the clips, in words; empty when whole frames lie on each other.
        errors: Metric name to error.
        scales: Metric name to its scale.
        codec_errors: Metric name to what the codec alone does to a clip; empty when not measured.
        titles: Metric name to its title.
        again: Which of two files is the other one, encoded again, in words; empty where neither is known to be.
        timing_known: Whether it is known which frames belong together; otherwise they were paired by number.
        position_known: Whether it is known how the pictures lie on each other; otherwise they were only scaled.
    """

    equal: bool
    encoded: bool
    processed: tuple[str, ...]
    errors: Mapping[str, float]
    scales: Mapping[str, Scale]
    codec_errors: Mapping[str, float]
    titles: Mapping[str, str]
    again: str = ""
    timing_known: bool = True
    position_known: bool = True


def combined_drift(findings: Findings) -> float | None:
    """Return the largest drift of all metrics, so that what any of them sees counts; None when none can tell."""
    drifts = [findings.scales[name].drift(error) for name, error in findings.errors.items()]
    return max((drift for drift in drifts if drift is not None), default=None)


def seed_drifts(findings: Findings) -> list[float]:
    """Return the combined drift of each other seed, by the rule of `combined_drift`; empty when none can be told."""
    drifts = [
        [findings.scales[name].drift(error) for error in findings.scales[name].ceilings] for name in findings.errors
    ]
    seeds = [[drift for drift in seed if drift is not None] for seed in zip(*drifts, strict=False)]
    return [max(seed) for seed in seeds if seed]


def judge(findings: Findings) -> tuple[Verdict, list[str]]:
    """Return the class and the sentences that it rests on.

    No class has a threshold of its own: `numeric drift` is no more than the codec does, `different sample` is a drift
    at least that of the nearest other seed, and `settings differ` is what lies between.
    """
    verdict, reason = judge_frames(findings)
    sentences = [] if findings.equal or findings.again else _sentences(findings)
    if verdict is Verdict.NUMERIC_DRIFT:
        sentences = [f"{_sentence(name, findings)}; {_beside_the_codec(name, findings)}" for name in findings.errors]
    if not findings.processed:
        return verdict, [reason, *sentences]
    if verdict is Verdict.DIFFERENT_SAMPLE:
        return verdict, [*findings.processed, f"even so aligned, {reason}", *sentences]
    if verdict in {Verdict.DIFFERS, Verdict.SETTINGS_DIFFER} and not findings.timing_known:
        doubt = "the frames so paired differ, so that the numbers may be of different moments"
        return Verdict.NOT_COMPARABLE, [*findings.processed, doubt]
    if verdict is Verdict.DIFFERS and not findings.position_known:
        return verdict, [*findings.processed, f"so aligned, {reason}", *sentences]
    return Verdict.POST_PROCESSED, [*findings.processed, f"so aligned, {reason}", *sentences]


def judge_frames(findings: Findings) -> tuple[Verdict, str]:
    """Return the class of the frames that are held against each other, whatever was done to align them, and why."""
    if findings.again or (findings.equal and findings.encoded):
        same = "after the same encoding, every frame equals the reference byte for byte"
        return Verdict.CODEC_ONLY, findings.again or same
    if findings.equal:
        return Verdict.IDENTICAL, "every frame equals the reference byte for byte"
    if _all(findings, lambda name, error: error <= findings.codec_errors.get(name, 0.0)):
        return Verdict.NUMERIC_DRIFT, "by every metric the difference is no more than what the codec does"
    drift, seeds = combined_drift(findings), seed_drifts(findings)
    if drift is None or not seeds:
        return Verdict.DIFFERS, "the frames differ; how far, on a scale from a re-run to another seed, cannot be told"
    if drift >= min(seeds):
        return Verdict.DIFFERENT_SAMPLE, f"drift {drift:.3f} is as far as the nearest other seed ({min(seeds):.3f})"
    others = f"any of {len(seeds)} other seeds" if len(seeds) > 1 else "the one other seed"
    return Verdict.SETTINGS_DIFFER, (
        f"drift {drift:.3f} is nearer than {others} (nearest: {min(seeds):.3f}), as about 1 in {len(seeds) + 1} "
        "unrelated samples would be too"
    )


def _all(findings: Findings, holds: Callable[[str, float], bool]) -> bool:
    return bool(findings.errors) and all(holds(name, error) for name, error in findings.errors.items())


def _beside_the_codec(name: str, findings: Findings) -> str:
    error, codec = findings.errors[name], findings.codec_errors.get(name, 0.0)
    return f"the error is {error / codec if codec else 0:.1%} of what the codec alone does"


def _sentences(findings: Findings) -> list[str]:
    """Return one sentence for each metric, or a single one where all cannot be told for the same reason."""
    reasons = {_untold(name, findings) for name in findings.errors}
    if len(reasons) == 1 and "" not in reasons:
        return [f"drift cannot be told, {reasons.pop()}"]
    return [_sentence(name, findings) for name in findings.errors]


def _sentence(name: str, findings: Findings) -> str:
    title, drift = findings.titles[name], findings.scales[name].drift(findings.errors[name])
    if drift is None:
        return f"{title}: drift cannot be told, {_untold(name, findings)}"
    return f"{title}: drift {drift:.3f} on a scale from a re-run (0) to another seed (1)"


def _untold(name: str, findings: Findings) -> str:
    """Return why a metric has no drift; empty where it has one."""
    scale = findings.scales[name]
    if scale.floor is None or not scale.ceilings:
        return f"{_missing(scale)} not measured"
    return "floor and ceiling do not separate" if scale.drift(findings.errors[name]) is None else ""


def _missing(scale: Scale) -> str:
    if scale.ceilings:
        return "a re-run was"
    return "other seeds were" if scale.floor is not None else "a re-run and other seeds were"


def spread(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the lowest and the highest value; None when there are none."""
    return (min(values), max(values)) if values else None
