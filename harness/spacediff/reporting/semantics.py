"""What the clips show, arranged for the page: a row for each clip, and a plot over the reference's frames per text."""

from __future__ import annotations

from dataclasses import dataclass

from spacediff.record import AgreementRecord, AuditRecord, PromptRecord, Role, RunRecord, SemanticsRecord, TextRecord
from spacediff.reporting.axes import linear
from spacediff.reporting.plots import Plot, Series, plot
from spacediff.wording.numbers import number

_PLACES = {
    "below": "below all different seeds",
    "within": "within the range of different seeds",
    "above": "above all different seeds",
}


@dataclass(frozen=True)
class Cell:
    """How far one clip agrees with one text.

    Attributes:
        mean: Over all frames, as text.
        difference: How far that is from the reference; empty where there is nothing to say.
        place: How it compares with the different seeds; empty where there are none.
    """

    mean: str
    difference: str
    place: str


@dataclass(frozen=True)
class Asked:
    """What was asked of the clips.

    Attributes:
        label: The part, or `the prompt`.
        text: The text as the model got it.
        seeds: Lowest and highest of the other seeds, as text; empty where there are none.
        rerun: How far a re-run of the baseline is from it, as text; empty where there is none.
        plot: A curve for each clip; None where there is no frame.
    """

    label: str
    text: str
    seeds: str
    rerun: str
    plot: Plot | None


@dataclass(frozen=True)
class Shown:
    """What the clips of a prompt show.

    Attributes:
        found: What was measured, or why not.
        asked: The prompt, then its parts.
        rows: Name of a clip, and a cell for each that was asked; other seeds and the re-run are no rows.
    """

    found: SemanticsRecord
    asked: list[Asked]
    rows: list[tuple[str, list[Cell | None]]]


def semantics_view(record: AuditRecord, prompt: PromptRecord) -> Shown | None:
    """Return what the page shows of a prompt's clips; None where nothing was asked."""
    found = next((each for each in record.semantics if each.prompt == prompt.name), None)
    if found is None:
        return None
    runs = {run.name: run for run in record.runs if run.prompt == prompt.name}
    names = [clip.run for text in found.texts[:1] for clip in text.clips if not _control(runs.get(clip.run))]
    maps = {
        comparison.candidate: dict(comparison.frame_map)
        for comparison in record.comparisons
        if (comparison.prompt, comparison.reference) == (prompt.name, record.reference)
    }
    return Shown(
        found=found,
        asked=[
            Asked(
                label=text.part or "the prompt",
                text=text.asked,
                seeds=_span(*text.seeds) if text.seeds else "",
                rerun="" if text.rerun is None else _written(text.rerun),
                plot=plot([_series(clip, runs, maps) for clip in text.clips], linear, _written, first=0),
            )
            for text in found.texts
        ],
        rows=[(name, [_cell(text, name) for text in found.texts]) for name in names],
    )


def _control(run: RunRecord | None) -> bool:
    return run is not None and run.role in {Role.SEED, Role.RERUN}


def _series(clip: AgreementRecord, runs: dict[str, RunRecord], maps: dict[str, dict[int, int]]) -> Series:
    """Return a curve over the frames of the reference; a clip that was not aligned with it keeps its own numbers."""
    values: list[float | None] = [*clip.frames]
    if partners := maps.get(clip.run):
        values = [clip.frames[partners[n]] if n in partners else None for n in range(max(partners) + 1)]
    return Series(clip.run, values, control=_control(runs.get(clip.run)))


def _cell(text: TextRecord, name: str) -> Cell | None:
    clip = text.of(name)
    if clip is None:
        return None
    less = clip.difference
    return Cell(
        mean=_written(clip.mean),
        difference="" if less is None else _difference(less),
        place=_PLACES[clip.place] if clip.place else "",
    )


def _difference(less: float) -> str:
    if less == 0:
        return "same as the reference"
    if less > 0:
        return f"{_written(less)} lower than the reference"
    return f"{_written(-less)} higher than the reference"


def _span(low: float, high: float) -> str:
    ends = _written(low), _written(high)
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _written(v: float) -> str:
    return number(v, decimals=3)
