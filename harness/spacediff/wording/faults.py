"""What a clip shows instead of a picture, what its VAE did to its size, and what it has that is not compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spacediff.record import FactKind
from spacediff.wording.nouns import nouns
from spacediff.wording.numbers import listed, pixels, start
from spacediff.wording.vocabulary import says

_COLOURS: Mapping[tuple[int, ...], str] = {(0, 0, 0): "black", (255, 255, 255): "white"}
_NEAR = 4
"""Levels up to which a colour has the name of another."""
_MOST_NAMED = 8
"""Pictures that are named one by one."""


@says(FactKind.CENSORED)
def _censored(*, candidate: bool, pictures: Sequence[int], of: int) -> str:
    clip = nouns().side(candidate=candidate)
    if len(pictures) >= of:
        whole = not nouns().moves and (of == 1 or clip.several)
        replaced = clip.name if whole else f"every picture of {clip.name}"
        return f"The pipeline's safety checker replaced {replaced}."
    named = listed([str(number) for number in pictures[:_MOST_NAMED]])
    more = f" and {len(pictures) - _MOST_NAMED} more" if len(pictures) > _MOST_NAMED else ""
    noun = "picture" if len(pictures) == 1 else "pictures"
    whose = "these" if clip.several else clip.name
    return f"The pipeline's safety checker replaced {noun} {named}{more} of {whose} (of {of}, numbered from 0)."


@says(FactKind.ONE_COLOUR)
def _one_colour(*, candidate: bool, colour: Sequence[int]) -> str:
    clip = nouns().side(candidate=candidate)
    return f"{start(clip.name)} {clip.verb('is', 'are')} a single colour throughout: {_colour(colour)}."


def _colour(colour: Sequence[int]) -> str:
    for known, name in _COLOURS.items():
        if all(abs(level - other) <= _NEAR for level, other in zip(colour, known, strict=False)):
            return name
    return f"RGB {', '.join(map(str, colour))}"


@says(FactKind.LATENTS_NOT_FINITE)
def _latents_not_finite(*, candidate: bool, step: int, steps: int) -> str:
    clip = nouns().side(candidate=candidate)
    return (
        f"{start(clip.name)} {clip.verb('was', 'were')} decoded from latents with NaN or infinite values, from step "
        f"{step} of {steps} on."
    )


@says(FactKind.DECODED_NOT_FINITE)
def _decoded_not_finite(*, candidate: bool, values: int) -> str:
    what = "1 value" if values == 1 else f"{values:,} values"
    clip = nouns().side(candidate=candidate)
    return f"The decoder gave {what} of {clip.name} as NaN or infinite, though the latents were finite."


@says(FactKind.NOTHING_SHOWN)
def _nothing_shown() -> str:
    return "Such pictures are equal or not whatever the settings are, so that nothing follows from comparing them."


@says(FactKind.SEED_SHOWS_NOTHING)
def _seed_shows_nothing() -> str:
    return "It is a single colour or was replaced by the safety checker, so it sets no scale."


@says(FactKind.TARGET_SHOWS_NOTHING)
def _target_shows_nothing(*, target: str) -> str:
    clip = nouns()
    state = clip.verb("is a single colour or was replaced", "are a single colour or were replaced")
    return (
        f"The {clip.clip} of {target} {state} by the safety checker, so that reproducing {clip.verb('it', 'them')} "
        "would show nothing."
    )


@says(FactKind.SOUND_NOT_COMPARED)
def _sound_not_compared(*, runs: Sequence[str]) -> str:
    have = "has" if len(runs) == 1 else "have"
    return f"{listed(runs)} {have} sound, which is not compared: every verdict is about the {nouns().frames} alone."


@says(FactKind.TILES_GAVE_SIZE)
def _tiles_gave_size(
    *, candidate: bool, size: Sequence[int], decoded: Sequence[int], settings: Sequence[str], fitting: Sequence[int]
) -> str:
    clip = nouns().side(candidate=candidate)
    values = [f"{setting} = {value}" for setting, value in zip(settings, fitting, strict=False) if value]
    advice = f" With {listed(values)} they would join." if values else ""
    return (
        f"{start(clip.name)} {clip.verb('has', 'have')} {pixels(size)} pixels instead of {pixels(decoded)} because the "
        f"tiles of the VAE do not join: this is the known cause tile-sizes.{advice}"
    )


@says(FactKind.TILES_DO_NOT_JOIN)
def _tiles_do_not_join(*, setting: str, value: int, step: int, kept: int, fitting: Sequence[int]) -> str:
    advice = f"; {' or '.join(map(str, fitting))} would fit" if fitting else ""
    return (
        f"With {setting} = {value}, the tiles of the VAE do not join: each begins {step} pixels after the one before "
        f"and {kept} pixels of it are kept. What is larger than a tile gets another size, or rows and columns "
        f"in the wrong place{advice}."
    )
