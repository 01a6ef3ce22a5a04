"""The tolerance: what counts as a difference that people see, and what that rests on."""

from __future__ import annotations

from spacediff.record import FactKind, ToleranceRecord
from spacediff.wording.numbers import number, plain
from spacediff.wording.verdicts import place_of_tile
from spacediff.wording.vocabulary import says, sentence


def tolerance_sentences(tolerance: ToleranceRecord) -> list[str]:
    """Say what the tolerance is, where it comes from, and where the codec's own loss is largest."""
    said = [sentence(each) for each in tolerance.found]
    tile = tolerance.tile
    if tile is not None and tile.error:
        said.append(f"The worst tile is {place_of_tile(tile)}.")
    return said


@says(FactKind.TOLERANCE_OF_REFERENCE_CODEC)
def _of_reference_codec(*, levels: float) -> str:
    return f"{_tolerance(levels)}: the loss of the reference's codec on the target."


@says(FactKind.TOLERANCE_OF_EXPORT)
def _of_export(*, levels: float) -> str:
    return f"{_tolerance(levels)}: the loss of the target's own export."


@says(FactKind.TOLERANCE_OF_STAND_IN)
def _of_stand_in(*, levels: float, quality: int) -> str:
    return (
        f"{_tolerance(levels)}: the loss of JPEG at quality {quality} on the target, which stands in for a codec "
        "because none was used."
    )


@says(FactKind.TOLERANCE_OF_DRIFT)
def _of_drift(*, drift: float, gate: bool, levels: float, floor: float, ceiling: float) -> str:
    return (
        f"{_tolerance(levels)}: {_drift(drift, gate=gate)}, where a re-run differs by {number(floor, decimals=2)} and "
        f"different seeds by {number(ceiling, decimals=2)}."
    )


@says(FactKind.TOLERANCE_ABOVE_SEEDS)
def _above_seeds(*, levels: float, nearest: float, mean: bool) -> str:
    where = "on the average" if mean else "in the worst tile"
    return (
        f"The tolerance cannot be the codec's own loss: it is {number(levels, decimals=2)} levels {where}, and a "
        f"different seed differs by {number(nearest, decimals=2)}."
    )


@says(FactKind.TOLERANCE_OF_RERUN)
def _of_rerun(*, levels: float, measured: bool) -> str:
    if not measured:
        return f"{_tolerance(levels)}: only equal clips count as the same, since no re-run gives a measure."
    return f"{_tolerance(levels)}: what a re-run differs."


@says(FactKind.TOLERANCE_WITHOUT_SCALE)
def _without_scale(*, drift: float, gate: bool) -> str:
    return (
        f"The tolerance cannot be {_drift(drift, gate=gate)}: this audit has no scale, which takes a re-run, and "
        "different seeds that differ by more."
    )


def _tolerance(levels: float) -> str:
    return f"The tolerance is {number(levels, decimals=2)} levels in the worst tile"


def _drift(value: float, *, gate: bool) -> str:
    return f"drift {plain(value)}{', the limit of the gate' if gate else ''}"
