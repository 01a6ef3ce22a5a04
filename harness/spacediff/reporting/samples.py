"""Groups of clips, arranged for the page: what came out, a strip of pictures of each side, a row for each measure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spacediff.record import AuditRecord, MetricInfo, PromptRecord, SampleMeasureRecord, SamplesRecord
from spacediff.wording import p_text, samples_text, sentences
from spacediff.wording.numbers import number

_EDGE, _INSIDE = 3.0, 94.0
"""Percent of the width left free at each end of a row of dots, and what is between."""


@dataclass(frozen=True)
class Dots:
    """Where the clips of both sides stand on one axis.

    Attributes:
        reference: Percent of the width, one for each clip.
        candidate: The same of the other side.
        low: The lowest value, as text.
        high: The highest value, as text.
    """

    reference: list[str]
    candidate: list[str]
    low: str
    high: str


@dataclass(frozen=True)
class MeasureRow:
    """One measure of two groups.

    Attributes:
        info: What was measured.
        finding: Whether the groups differ in it.
        means: Mean of the reference's clips and of the candidate's, as texts.
        effect: Cliff's delta with its interval, as text; empty where the measure has none.
        p: The corrected p, as text.
        enough: About how many clips a side would find what was seen, as text; empty where unknown or not needed.
        dots: Where the clips stand; None where there is no value to draw.
    """

    info: MetricInfo
    finding: bool
    means: tuple[str, str]
    effect: str
    p: str
    enough: str
    dots: Dots | None


@dataclass(frozen=True)
class Groups:
    """Two groups of clips.

    Attributes:
        found: What was compared.
        text: What came out, in sentences.
        rows: The measures.
        notes: What the reader should know of the groups.
    """

    found: SamplesRecord
    text: str
    rows: list[MeasureRow]
    notes: list[str]


def groups_view(record: AuditRecord, prompt: PromptRecord) -> list[Groups]:
    """Return what the page shows of a prompt's groups, the gate's variant first."""
    of_prompt = [each for each in record.samples if each.prompt == prompt.name]
    of_prompt.sort(key=lambda each: each.candidate != record.gate.variant)
    return [
        Groups(
            found=each,
            text=samples_text(each),
            rows=[measure_row(measure) for measure in each.measures],
            notes=sentences(each.notes) if each.measured else [],
        )
        for each in of_prompt
    ]


def measure_row(measure: SampleMeasureRecord) -> MeasureRow:
    """Return a measure as the page and the Markdown show it."""
    info = measure.info
    return MeasureRow(
        info=info,
        finding=measure.finding,
        means=(number(measure.reference_mean, info), number(measure.candidate_mean, info)),
        effect=_effect(measure),
        p=p_text(measure.adjusted).removeprefix("= "),
        enough="" if measure.clips_to_find is None else str(measure.clips_to_find),
        dots=_dots(measure),
    )


def _effect(measure: SampleMeasureRecord) -> str:
    if measure.effect is None or measure.interval is None:
        return ""
    low, high = (number(end, decimals=2) for end in measure.interval)
    return f"{number(measure.effect, decimals=2)} ({low} to {high})"


def _dots(measure: SampleMeasureRecord) -> Dots | None:
    values = [each for each in (*measure.reference, *measure.candidate) if math.isfinite(each)]
    if not values:
        return None
    low, high = min(values), max(values)
    width = high - low or 1.0

    def places(side: list[float]) -> list[str]:
        return [f"{_EDGE + _INSIDE * (each - low) / width:.2f}%" for each in side if math.isfinite(each)]

    ends = (number(end, measure.info) for end in (low, high))
    return Dots(places(measure.reference), places(measure.candidate), *ends)


def strips_of(record: AuditRecord) -> set[str]:
    """Return the pictures of all groups, as paths in the audit folder."""
    return {strip for each in record.samples for strip in (each.reference_strip, each.candidate_strip) if strip}
