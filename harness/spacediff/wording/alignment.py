"""Alignment: how two clips of different length, rate, size or geometry were brought onto each other."""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.record import Fact, FactKind
from spacediff.wording.nouns import nouns
from spacediff.wording.numbers import counted, listed, pixels, plain, start
from spacediff.wording.vocabulary import says

_ORDINALS = {2: "second", 3: "third", 4: "fourth"}
_SHOWN = 6
"""Stretches of frame numbers that are written out."""

_Span = Sequence[int]


_OF_LENGTH = frozenset({FactKind.BEGINS_LATER, FactKind.ENDS_EARLIER, FactKind.PAIRED_BY_NUMBER})
_OF_PROCESSING = frozenset(
    {FactKind.FRAMES_BETWEEN, FactKind.LACKS_FRAMES, FactKind.BARS, FactKind.SHIFTED, FactKind.LEVELS_DIFFER}
)
"""What a pipeline does not do by itself."""


def why_aligned(notes: Sequence[Fact]) -> str:
    """Say why two files had to be aligned; other lengths and sizes alone do not show that one was processed.

    Args:
        notes: How they were brought onto each other.
    """
    kinds = {note.kind for note in notes}
    what = [*(["lengths"] if kinds & _OF_LENGTH else []), *(["sizes"] if FactKind.SIZES_DIFFER in kinds else [])]
    if kinds & _OF_PROCESSING or not what:
        return "One of the two was processed after it was generated"
    return f"The {listed(what)} differ: one of the two was processed after it was generated, or they were generated so"


@says(FactKind.PAIRED_BY_NUMBER)
def _paired_by_number(*, reference_frames: int, candidate_frames: int, pairs: int, too_long: bool) -> str:
    why = "Clips this long are not searched for" if too_long else "The pictures do not show"
    first = "first frame of each is" if pairs == 1 else f"first {pairs} frames of each are"
    return (
        f"{_lengths(reference_frames, candidate_frames)}. {why} which frames belong together, so the {first} compared "
        "by number."
    )


@says(FactKind.FRAMES_BETWEEN)
def _frames_between(
    *,
    reference_frames: int,
    candidate_frames: int,
    candidate: bool,
    step: int,
    first: int,
    between: str,
    inherent: bool,
) -> str:
    dense, coarse = _clips(candidate=candidate)
    left_out = f"{between} frames" if between else "frames"
    grounds = f" Only {dense} itself shows this, because it differs from {coarse}." if inherent else ""
    return (
        f"{_lengths(reference_frames, candidate_frames)}. Every {_ORDINALS.get(step, f'{step}th')} frame of {dense}, "
        f"from frame {first} on, is compared with {coarse}; the {left_out} between are left out.{grounds}"
    )


@says(FactKind.BEGINS_LATER)
def _begins_later(*, candidate: bool, left_out: Sequence[_Span]) -> str:
    return _without_partner("begins later", left_out, candidate=candidate)


@says(FactKind.LACKS_FRAMES)
def _lacks_frames(*, candidate: bool, left_out: Sequence[_Span]) -> str:
    return _without_partner("lacks frames in between", left_out, candidate=candidate)


@says(FactKind.ENDS_EARLIER)
def _ends_earlier(*, candidate: bool, left_out: Sequence[_Span]) -> str:
    return _without_partner("ends earlier", left_out, candidate=candidate)


def _without_partner(what: str, spans: Sequence[_Span], *, candidate: bool) -> str:
    owner, other = _clips(candidate=candidate)
    texts = [f"{first}" if first == last else f"{first} to {last}" for first, last in spans]
    more = f" and {len(texts) - _SHOWN} more places" if len(texts) > _SHOWN else ""
    single = len(spans) == 1 and spans[0][0] == spans[0][1]
    frames, are = ("frame", "is") if single else ("frames", "are")
    return f"{start(other)} {what}: {frames} {', '.join(texts[:_SHOWN])}{more} of {owner} {are} left out."


@says(FactKind.RATES_DIFFER)
def _rates_differ(*, reference: float, candidate: float) -> str:
    return (
        f"The reference plays at {plain(reference)} fps, this clip at {plain(candidate)} fps; frames are not paired by "
        "their time."
    )


@says(FactKind.BARS)
def _bars(*, candidate: bool, width: int, height: int) -> str:
    clip = nouns().side(candidate=candidate)
    edges = clip.verb("has bars at its edges", "have bars at their edges")
    return f"{start(clip.name)} {edges}: only the {width}x{height} pixels inside them are used."


@says(FactKind.SIZES_DIFFER)
def _sizes_differ(
    *,
    reference: Sequence[int],
    candidate: Sequence[int],
    reference_scaled_to: Sequence[int],
    candidate_scaled_to: Sequence[int],
    cropped: bool,
    confirmed: bool,
) -> str:
    differ = f"The reference is {pixels(reference)} pixels, {nouns().this} {pixels(candidate)}."
    said = [differ] if [*reference] != [*candidate] else []  # as large, but what is inside the bars is not
    sides = (nouns().side(candidate=False), reference_scaled_to), (nouns().side(candidate=True), candidate_scaled_to)
    said += [
        f"{start(clip.name)} {clip.verb('is', 'are')} scaled down to {pixels(size)} by area averaging."
        for clip, size in sides
        if size
    ]
    if cropped:
        said.append("Only the region that both show is compared.")
    said.append(
        "The pictures confirm this placement to the pixel."
        if confirmed
        else "The pictures do not confirm this placement."
    )
    return " ".join(said)


@says(FactKind.SHIFTED)
def _shifted(*, right: int, down: int) -> str:
    ways = [f"{abs(right)} px {'right' if right > 0 else 'left'}"] * (right != 0)
    ways += [f"{abs(down)} px {'down' if down > 0 else 'up'}"] * (down != 0)
    clip = nouns().side(candidate=True)
    return (
        f"{start(clip.name)} {clip.verb('is', 'are')} shifted {' and '.join(ways)} from the reference: the shift is "
        "undone, and only the region that both show is compared."
    )


@says(FactKind.LEVELS_DIFFER)
def _levels_differ(*, squeezed: bool) -> str:
    squeezing, stretching = "squeezed into the limited range", "stretched from limited to full range"
    ours, theirs = (squeezing, stretching) if squeezed else (stretching, squeezing)
    clip = nouns().side(candidate=True)
    return (
        f"One of the two sides confuses limited and full range: either the levels of {clip.name} were {ours} once too "
        f"often, or the reference's were {theirs} once too often. {start(clip.name)} {clip.verb('was', 'were')} "
        "corrected before the comparison, except for clipped values."
    )


def _lengths(reference: int, candidate: int) -> str:
    return f"The reference has {counted(reference, 'frame')}, this clip {candidate}"


def _clips(*, candidate: bool) -> tuple[str, str]:
    return ("this clip", "the reference") if candidate else ("the reference", "this clip")
