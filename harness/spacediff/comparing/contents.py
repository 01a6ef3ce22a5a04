"""What a clip shows instead of a picture, and what that does to a verdict.

The key insight: two black clips are equal, and their equality says nothing about the settings that made them. A safety
checker, NaN and a failed decoder all leave such clips, so that no clip with one of these faults ever matches another.
"""

from __future__ import annotations

from collections.abc import Sequence

from spacediff.record import ASIDE, Fact, FactKind, RunRecord, Verdict, fact


def shows_nothing(run: RunRecord) -> bool:
    """Whether a run has a clip that shows nothing of what was generated."""
    if run.clip is None:
        return False
    return run.clip.colour is not None or len(run.censored) >= run.clip.frames


def faults(run: RunRecord, *, candidate: bool) -> list[Fact]:
    """Return what is wrong with the content of a run's clip.

    Args:
        run: The run.
        candidate: Whether it is compared with a reference; else it is that reference.
    """
    if run.clip is None:
        return []
    found = []
    if run.censored:
        found.append(fact(FactKind.CENSORED, candidate=candidate, pictures=run.censored, of=run.clip.frames))
    if run.clip.colour is not None:
        found.append(fact(FactKind.ONE_COLOUR, candidate=candidate, colour=run.clip.colour))
    steps = run.trace.steps if run.trace else []
    broken = next((number for number, step in enumerate(steps, 1) if step.nonfinite), None)
    if broken is not None:
        found.append(fact(FactKind.LATENTS_NOT_FINITE, candidate=candidate, step=broken, steps=len(steps)))
    elif run.trace and run.trace.decoded_nonfinite:
        found.append(fact(FactKind.DECODED_NOT_FINITE, candidate=candidate, values=run.trace.decoded_nonfinite))
    return found


def judged_by_content(
    judged: tuple[Verdict, list[Fact]], reference: RunRecord, candidate: RunRecord
) -> tuple[Verdict, list[Fact]]:
    """Put what is wrong with the content of two clips in front of the evidence, and undo a verdict that it voids.

    A match of clips of which one has such a fault is none, and neither is any other outcome where both show nothing.
    Where they differ and one of the two does show something, the difference is real, so that its verdict stays.

    Args:
        judged: The verdict on the frames, and what it rests on.
        reference: The run of the reference.
        candidate: The run that is compared with it.
    """
    verdict, evidence = judged
    found = [*faults(candidate, candidate=True), *faults(reference, candidate=False)]
    both_empty = all(shows_nothing(run) for run in (reference, candidate))
    if both_empty or (found and (verdict.matches or verdict is Verdict.NUMERIC_DRIFT)):
        return Verdict.NOT_COMPARABLE, [*found, fact(FactKind.NOTHING_SHOWN)]
    return verdict, [*found, *evidence]


def sound_warning(runs: Sequence[RunRecord]) -> list[Fact]:
    """Name the runs whose clips have sound, which is not compared; nothing where none has."""
    names = list(dict.fromkeys(run.name for run in runs if run.audio and run.role not in ASIDE))
    return [fact(FactKind.SOUND_NOT_COMPARED, runs=names)] if names else []
