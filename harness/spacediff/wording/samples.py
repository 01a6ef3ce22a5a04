"""Groups of clips: in which measures they differ, and what so few clips cannot show."""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.record import FactKind, SampleMeasureRecord, SamplesRecord
from spacediff.wording.nouns import nouns
from spacediff.wording.numbers import counted, listed, pixels, plain
from spacediff.wording.vocabulary import says, sentences

_MOST_FINDINGS = 4
"""Findings that a sentence lists; the table has them all."""

_MOST_VALUES = 3
"""Different values of a side that a sentence lists; of more it gives the range."""


def samples_text(record: SamplesRecord) -> str:
    """Say in which measures the groups of a candidate differ, or what their number of clips leaves open."""
    if not record.measured:
        return " ".join([f"{record.candidate}: the groups were not compared.", *sentences(record.notes)])
    if record.findings:
        return _found(record)
    return " ".join([f"{record.candidate}: no difference was found between {_groups(record)}.", *_left_open(record)])


def _groups(record: SamplesRecord) -> str:
    ours, theirs = len(record.candidate_runs), len(record.reference_runs)
    return f"its {ours} {nouns().clips} and the {theirs} of the reference"


def _found(record: SamplesRecord) -> str:
    findings = sorted(record.findings, key=lambda each: each.adjusted)
    listed_ones = [_finding(each) for each in findings[:_MOST_FINDINGS]]
    more = len(findings) - len(listed_ones)
    others = f"; and {counted(more, 'more measure')}" if more else ""
    return f"{record.candidate}: as groups, {_groups(record)} differ: {'; '.join(listed_ones)}{others}."


def _finding(measure: SampleMeasureRecord) -> str:
    name, p = measure.info.title.lower(), p_text(measure.adjusted)
    if measure.effect is None:
        return f"{name} (p {p})"
    higher = round(50 * (1 + abs(measure.effect)))
    return f"{name} is {'higher' if measure.effect > 0 else 'lower'} in {higher} of 100 pairs (p {p})"


def p_text(p: float) -> str:
    """Write a p value: `= 0.012`, `< 0.001`."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"  # noqa: PLR2004 - what a reader can tell apart


def _left_open(record: SamplesRecord) -> list[str]:
    """Say what these groups could not have shown, and how many clips could."""
    clips = nouns().clips
    if not record.able:
        least = "" if record.fewest is None else f" At least {record.fewest} a side are needed."
        return [f"So few {clips} cannot show any difference in {counted(record.tests, 'test')}, however large.{least}"]
    if record.detectable is None:
        able = "groups that hardly overlap"
    else:
        share = round(50 * (1 + record.detectable))
        able = f"a difference in at least {share} of 100 pairs"
    said = [f"This does not mean that they are the same. So few {clips} find, in 8 of 10 audits, only {able}."]
    numbered = [each for each in record.measures if each.clips_to_find is not None]
    if numbered:
        nearest = min(numbered, key=lambda each: each.clips_to_find or 0)
        said.append(
            f"If the difference seen in {nearest.info.title.lower()} is real, about {nearest.clips_to_find} {clips} a "
            "side would show it."
        )
    return said


def _side(*, candidate: bool) -> str:
    return "this side" if candidate else "the reference"


@says(FactKind.SAMPLES_MISSING)
def _samples_missing(*, candidate: bool, missing: int, clips: int) -> str:
    return f"Of {clips} {nouns().clips} of {_side(candidate=candidate)}, {missing} could not be used"


@says(FactKind.SAMPLES_EQUAL)
def _samples_equal(*, candidate: bool, clips: int, distinct: int) -> str:
    of = f"{clips} {nouns().clips} of {_side(candidate=candidate)}"
    different = "all are the same, so they count as one" if distinct == 1 else f"only {distinct} are different"
    return f"Of {of}, {different}: equal ones are no further samples."


@says(FactKind.SAMPLES_TOO_FEW)
def _samples_too_few(*, candidate: bool, clips: int) -> str:
    side = "This side" if candidate else "The reference"
    return (
        f"{side} has {counted(clips, nouns().frame if not nouns().moves else 'clip')}, and a group needs at least two"
    )


@says(FactKind.SAMPLES_OF_TWO_MEDIA)
def _samples_of_two_media() -> str:
    return "One side has videos and the other pictures, so the groups have no measures in common."


def _several(values: Sequence[str]) -> str:
    """Write values that are in order; of many, the first and the last."""
    return listed(values) if len(values) <= _MOST_VALUES else f"{values[0]} to {values[-1]}"


@says(FactKind.SAMPLES_SCALED)
def _samples_scaled(
    *, reference: Sequence[Sequence[int]], candidate: Sequence[Sequence[int]], scaled_to: Sequence[int]
) -> str:
    ours, theirs = (_several([pixels(size) for size in sizes]) for sizes in (reference, candidate))
    return (
        f"The reference has {ours} pixels, this side {theirs}; all were measured at {pixels(scaled_to)}, and scaling "
        "down by itself changes sharpness."
    )


@says(FactKind.SAMPLES_RATES_DIFFER)
def _samples_rates_differ(*, reference: Sequence[float], candidate: Sequence[float]) -> str:
    ours, theirs = (_several([plain(rate) for rate in rates]) for rates in (reference, candidate))
    return (
        f"The reference plays at {ours} fps, this side at {theirs} fps; motion is measured from frame to frame, so its "
        "difference may be that of the frame rates."
    )


@says(FactKind.SAMPLES_LENGTHS_DIFFER)
def _samples_lengths_differ(*, reference: Sequence[int], candidate: Sequence[int]) -> str:
    ours, theirs = (_several([str(length) for length in lengths]) for lengths in (reference, candidate))
    if not nouns().moves:
        return f"The runs differ in their number of pictures: of the reference {ours}, of this side {theirs}."
    motion = "; a single frame has no motion, so motion was not compared" if 1 in {*reference, *candidate} else ""
    return f"The clips differ in length: number of frames of the reference {ours}, of this side {theirs}{motion}."


@says(FactKind.SAMPLES_CONTENTS_UNKNOWN)
def _samples_contents_unknown() -> str:
    return f"What the {nouns().clips} show is no part of this comparison, since it could not be measured"


@says(FactKind.GATE_GROUPS_NOT_COMPARED)
def _gate_groups_not_compared(*, prompt: str) -> str:
    return f"{prompt}: the groups of the gate's variant were not compared"


@says(FactKind.GATE_GROUPS_DIFFER)
def _gate_groups_differ(*, prompt: str, measures: Sequence[str]) -> str:
    return f"{prompt}: the groups differ in {listed([each.lower() for each in measures])}."


@says(FactKind.GATE_GROUPS_TOO_SMALL)
def _gate_groups_too_small(*, prompt: str, tests: int, fewest: int | None) -> str:
    least = "" if fewest is None else f" At least {fewest} a side are needed."
    return f"{prompt}: so few {nouns().clips} cannot show any difference in {counted(tests, 'test')}.{least}"


@says(FactKind.GATE_GROUPS_IN_DOUBT)
def _gate_groups_in_doubt(*, prompt: str) -> str:
    return f"{prompt}: no difference was found, but the groups are no fair samples of both sides"


@says(FactKind.GATE_GROUPS_WITHIN)
def _gate_groups_within(*, prompt: str, largest: float, limit: float) -> str:
    return (
        f"{prompt}: every measure of single {nouns().clips} has an effect of at most {largest:.3f} (Cliff's delta, at "
        f"95 % confidence), within the limit of {plain(limit)}, and no other measure differs."
    )


@says(FactKind.GATE_GROUPS_UNKNOWN)
def _gate_groups_unknown(*, prompt: str, measure: str, low: float, high: float, limit: float, clips: int | None) -> str:
    more = "" if clips is None else f" If the effects seen are the true ones, about {clips} a side could."
    return (
        f"{prompt}: no difference was found, but these samples do not show that there is none: the effect on "
        f"{measure.lower()} may be {low:.2f} to {high:.2f}, and the limit is {plain(limit)}.{more}"
    )
