"""The clips of a group, and what is measured of each.

Equal clips are one sample: a Space that ignores the seed gives the same clip eight times, which is no more evidence
than one. A clip that shows nothing is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spacediff.clip import Frame, read_frames
from spacediff.comparing.contents import faults, shows_nothing
from spacediff.comparing.failures import Failed, attempt, succeeded
from spacediff.comparing.pairing import Encoder, Side
from spacediff.comparing.samples.shown import Shown
from spacediff.comparing.samples.strips import column
from spacediff.interrupts import raise_if_interrupted
from spacediff.metric_info import MetricInfo
from spacediff.metrics.clip_features import GROUP_MEASURES, ClipFeatures, features_of
from spacediff.progress import Progress
from spacediff.record import Fact, FactKind, RunRecord, Verdict, fact, quoted
from spacediff.run import Prompt

_MOST_REASONS = 3
"""Reasons that are given for missing clips; the runs have them all."""

_RATE_DECIMALS = 3
"""Decimals of a frame rate; what files round differently is no difference."""

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True)
class Group:
    """The clips of one side.

    Attributes:
        name: Name of its first run.
        sides: Run name to its clip, through the reference's codec; equal clips once.
        notes: Clips that are missing, and those that are equal.
    """

    name: str
    sides: Mapping[str, Side]
    notes: tuple[Fact, ...]

    @property
    def sizes(self) -> list[Size]:
        """Sizes of its clips."""
        return [(side.clip.width, side.clip.height) for side in self.sides.values()]


def group_of(name: str, members: Sequence[RunRecord], encoder: Encoder, *, candidate: bool) -> Group:
    """Return the group of some runs.

    Args:
        name: Name of the first run.
        members: The runs.
        encoder: Puts local clips through the codec of the reference's file.
        candidate: Whether it is compared with the reference's group; else it is that one.
    """
    found = {run.name: _side(run, encoder, candidate=candidate) for run in members}
    missing = list(dict.fromkeys(each.reason.model_dump_json() for each in found.values() if isinstance(each, Failed)))
    sides = succeeded(found)
    distinct = {side.clip.digest: run for run, side in reversed(sides.items())}
    notes = []
    if missing:
        reasons = [Fact.model_validate_json(each) for each in missing[:_MOST_REASONS]]
        count = len(found) - len(sides)
        notes.append(fact(FactKind.SAMPLES_MISSING, *reasons, candidate=candidate, missing=count, clips=len(found)))
    if len(distinct) < len(sides):
        equal = {"clips": len(sides), "distinct": len(distinct)}
        notes.append(fact(FactKind.SAMPLES_EQUAL, candidate=candidate, **equal))
    return Group(name, {run: side for run, side in sides.items() if run in distinct.values()}, tuple(notes))


def _side(run: RunRecord, encoder: Encoder, *, candidate: bool) -> Side | Failed:
    clip = run.clip
    if clip is None:
        return Failed(Verdict.NOT_MEASURED, quoted(run.reason))
    if shows_nothing(run):
        return Failed(Verdict.NOT_MEASURED, fact(FactKind.NOTHING_SHOWN, *faults(run, candidate=candidate)))
    return attempt(lambda: encoder.side(run, clip))


@dataclass(frozen=True, eq=False)
class Sample:
    """What is measured of one clip.

    Attributes:
        features: Its measures and small pictures.
        contents: How well it shows each text that the scenario asks for, by the name of the measure.
        column: Some of its frames, one below the other, uint8 `[H, W, 3]`.
    """

    features: ClipFeatures
    contents: Mapping[str, float]
    column: NDArray[np.uint8]

    @property
    def values(self) -> dict[str, float]:
        """Name of a measure to its value."""
        return {**self.features.values, **self.contents}


@dataclass(frozen=True)
class MeasuredPair:
    """Two groups, measured alike.

    Attributes:
        reference: Run name to what is measured of its clip.
        candidate: The same of the other group.
        notes: What was scaled, how the clips differ in kind, clips that could not be measured.
        comparable: Whether both groups have clips of one kind.
    """

    reference: Mapping[str, Sample]
    candidate: Mapping[str, Sample]
    notes: tuple[Fact, ...]
    comparable: bool = True


@dataclass
class Sampling:
    """Measures the groups of one prompt, each clip once for each size.

    Args:
        prompt: The prompt.
        shown: Measures what the clips show.
        progress: Receives the progress.
    """

    prompt: Prompt
    shown: Shown
    progress: Progress
    _done: dict[tuple[Path, Size], Sample | Failed] = field(default_factory=dict)

    @property
    def infos(self) -> list[MetricInfo]:
        """What is measured of single clips."""
        return [*(each.info for each in GROUP_MEASURES), *self.shown.infos(self.prompt)]

    def of(self, reference: Group, candidate: Group) -> MeasuredPair:
        """Measure two groups at the smaller of their sizes."""
        media = {side.clip.medium for side in (*reference.sides.values(), *candidate.sides.values())}
        if len(media) > 1:
            return MeasuredPair({}, {}, (fact(FactKind.SAMPLES_OF_TWO_MEDIA),), comparable=False)
        sizes = [*reference.sizes, *candidate.sizes]
        size = min(sizes, key=lambda each: each[0] * each[1], default=(1, 1))
        notes = list(_differences(reference, candidate, size))
        measured = [self._group(group, size) for group in (reference, candidate)]
        for failed, of_candidate in zip(measured, (False, True), strict=True):
            reasons = [each.reason for each in failed.values() if isinstance(each, Failed)]
            if reasons:
                values = {"candidate": of_candidate, "missing": len(reasons), "clips": len(failed)}
                notes.append(fact(FactKind.SAMPLES_MISSING, *reasons[:_MOST_REASONS], **values))
        ours, theirs = (succeeded(each) for each in measured)
        return MeasuredPair(ours, theirs, (*notes, *self.shown.notes))

    def _group(self, group: Group, size: Size) -> dict[str, Sample | Failed]:
        found = {}
        for number, (name, side) in enumerate(group.sides.items(), 1):
            raise_if_interrupted()
            self.progress.on_status(f"samples of {group.name}: clip {number} of {len(group.sides)}")
            if (side.file, size) not in self._done:
                self._done[side.file, size] = attempt(partial(self._measured, name, side, size))
            found[name] = self._done[side.file, size]
        return found

    def _measured(self, name: str, side: Side, size: Size) -> Sample:
        still = side.clip.medium == "pictures"
        kept: dict[int, Frame] = {}
        wanted = {0} if still else {0, side.clip.frames // 2, side.clip.frames - 1}
        features = features_of(_noted(read_frames(side.file), wanted, kept), size=size, still=still)
        return Sample(features, self.shown.of(self.prompt, name, side.file), column(kept.values()))


def _differences(reference: Group, candidate: Group, size: Size) -> Iterator[Fact]:
    """Yield how clips differ in kind, between two groups or within one, before anything of them is measured."""
    if not (reference.sides and candidate.sides):
        return
    sides = {"reference": reference, "candidate": candidate}
    if {*reference.sizes, *candidate.sizes} != {size}:
        sizes = {name: [[*each] for each in sorted({*group.sizes})] for name, group in sides.items()}
        yield fact(FactKind.SAMPLES_SCALED, **sizes, scaled_to=[*size])
    rates = {
        name: sorted({round(side.clip.fps, _RATE_DECIMALS) for side in group.sides.values()})
        for name, group in sides.items()
    }
    if len({*rates["reference"], *rates["candidate"]}) > 1:
        yield fact(FactKind.SAMPLES_RATES_DIFFER, **rates)
    lengths = {name: sorted({side.clip.frames for side in group.sides.values()}) for name, group in sides.items()}
    if len({*lengths["reference"], *lengths["candidate"]}) > 1:
        yield fact(FactKind.SAMPLES_LENGTHS_DIFFER, **lengths)


def _noted(frames: Iterable[Frame], wanted: set[int], kept: dict[int, Frame]) -> Iterator[Frame]:
    for number, frame in enumerate(frames):
        if number in wanted:
            kept[number] = frame
        yield frame
