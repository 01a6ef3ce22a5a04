"""Verdicts: how a clip compares with the reference, and what the verdict rests on."""

from __future__ import annotations

from collections.abc import Mapping

from spacediff.record import AuditRecord, FactKind, TileRecord, Verdict, WorstTileRecord
from spacediff.wording.nouns import nouns, source_of_reference
from spacediff.wording.numbers import drift as written
from spacediff.wording.numbers import number, start
from spacediff.wording.vocabulary import says

NOT_COMPARED = "not compared"
"""In place of the verdict of a clip that was measured, but not compared."""

_SCALE = "on the scale from a re-run (0) to a different seed (1)"


def reference_noun(record: AuditRecord) -> str:
    """Name an audit's reference in a sentence: `the Space`."""
    return source_of_reference(record) or record.reference


def outcome(verdict: str | None, drift: float | None) -> str:
    """Write how a clip came out in a few words: `settings differ, drift 0.484`."""
    return f"{verdict or NOT_COMPARED}{'' if drift is None else f', drift {written(drift)}'}"


_CLAUSES: Mapping[str, str] = {
    Verdict.IDENTICAL: "equals the reference: every pixel is the same.",
    Verdict.CODEC_ONLY: "equals the reference once both have been through the same codec.",
    Verdict.NUMERIC_DRIFT: "differs from the reference by no more than a codec's own loss, also in the worst tile.",
    Verdict.SETTINGS_DIFFER: "differs from the reference, but is closer than a different seed.",
    Verdict.DIFFERS: "differs from the reference; this audit does not show how far.",
    Verdict.DIFFERENT_SAMPLE: "is no closer to the reference than a different seed: a different sample.",
    Verdict.POST_PROCESSED: "cannot match the reference pixel by pixel: one of them was processed after it was "
    "generated, or they were generated with other lengths or sizes.",
    Verdict.NOT_COMPARABLE: "cannot be compared with the reference.",
    Verdict.NOT_MEASURED: "was not measured.",
}


def clause(verdict: str) -> str:
    """Say what a verdict means, as the rest of a sentence that starts with a run's name."""
    if verdict == NOT_COMPARED:
        has = f"{'' if nouns().several else 'a '}{nouns().clip}, but {nouns().verb('it was', 'they were')}"
        return f"has {has} not compared with the reference."
    return _CLAUSES[verdict]


def worst_tile_text(tile: WorstTileRecord) -> str:
    """Say how far and where a clip differs most: `9.30 levels, drift 0.093, in 16x16 pixels at (48, 16) in frame 1`."""
    far = "" if tile.drift is None else f", drift {written(tile.drift)},"
    return f"{number(tile.error, decimals=2)} levels{far} in {place_of_tile(tile)}"


def place_of_tile(tile: TileRecord) -> str:
    """Say where a tile is: `16x16 pixels at (48, 16) in frame 12`."""
    return f"{tile.width}x{tile.height} pixels at ({tile.x}, {tile.y}) in {nouns().frame} {tile.frame}"


@says(FactKind.VERDICT)
def _verdict(*, verdict: str) -> str:
    return f"{start(verdict)}."


@says(FactKind.EVERY_FRAME_EQUAL)
def _every_frame_equal(*, encoded: bool) -> str:
    after = "After the same encoding, every" if encoded else "Every"
    return f"{after} pixel equals the reference."


@says(FactKind.ENCODED_AGAIN)
def _encoded_again(*, reference_from_candidate: bool) -> str:
    source = nouns().side(candidate=reference_from_candidate).name
    result = nouns().side(candidate=not reference_from_candidate)
    return (
        f"{start(result.name)} {result.verb('is', 'are')} {source}, encoded once more: encoding {source} again gives "
        f"every pixel of {result.name}."
    )


@says(FactKind.WITHIN_CODEC_LOSS)
def _within_codec_loss() -> str:
    return "By every metric, the difference is no larger than the codec's own loss."


@says(FactKind.WITHIN_EXPORT_LOSS)
def _within_export_loss() -> str:
    return (
        "By every metric, the difference is no larger than the loss of the baseline's own export, although no codec "
        "lies between the two."
    )


@says(FactKind.WITHIN_STAND_IN_LOSS)
def _within_stand_in_loss(*, quality: int) -> str:
    return (
        f"By every metric, the difference is no larger than the loss of JPEG at quality {quality}, which stands in for "
        "a codec because none was used."
    )


@says(FactKind.WORST_TILE_WITHIN)
def _worst_tile_within(*, error: float, codec: float, frame: int, x: int, y: int) -> str:
    return (
        f"The worst tile differs by {number(error, decimals=2)} levels (at ({x}, {y}) in {nouns().frame} {frame}), and "
        f"the codec's own loss in one is {number(codec, decimals=2)}."
    )


@says(FactKind.WORST_TILE_ABOVE)
def _worst_tile_above(*, error: float, codec: float, frame: int, x: int, y: int) -> str:
    where = f"at ({x}, {y}) in {nouns().frame} {frame}"
    return (
        "The means are within the codec's own loss, but the worst tile is not: it differs by "
        f"{number(error, decimals=2)} levels ({where}), and the codec's own loss in one is {number(codec, decimals=2)}."
    )


@says(FactKind.DRIFT_OF_FRAMES_UNKNOWN)
def _drift_of_frames_unknown() -> str:
    return f"The pixels differ; how far, {_SCALE}, is unknown."


@says(FactKind.AS_FAR_AS_A_SEED)
def _as_far_as_a_seed(*, drift: float, nearest: float) -> str:
    return f"Drift {written(drift)} is no closer than a different seed (nearest: {written(nearest)})."


@says(FactKind.CLOSER_THAN_SEEDS)
def _closer_than_seeds(*, drift: float, nearest: float, seeds: int) -> str:
    others = f"each of the {seeds} different seeds" if seeds > 1 else "the one different seed"
    return (
        f"Drift {written(drift)} is closer than {others} (nearest: {written(nearest)}); by chance alone, about 1 in "
        f"{seeds + 1} unrelated samples would be closer, too."
    )


@says(FactKind.METRIC_DRIFT)
def _metric_drift(*, metric: str, drift: float, codec_share: float | None) -> str:
    return f"{metric}: drift {written(drift)} {_SCALE}{_of_codec(codec_share)}."


@says(FactKind.METRIC_DRIFT_UNKNOWN)
def _metric_drift_unknown(*, metric: str, rerun: bool, seeds: bool, codec_share: float | None) -> str:
    about = f"{metric}: drift" if metric else "Drift"
    if rerun and seeds:
        why = "floor and ceiling do not separate"
    elif rerun:
        why = "different seeds were not measured"
    else:
        why = "a re-run was not measured" if seeds else "a re-run and different seeds were not measured"
    return f"{about} is unknown, because {why}{_of_codec(codec_share)}."


def _of_codec(share: float | None) -> str:
    return "" if share is None else f"; the error is {share:.1%} of the codec's own loss"


@says(FactKind.METRIC_UNDEFINED)
def _metric_undefined(*, metric: str, smallest_side: int) -> str:
    return f"{metric} needs at least {smallest_side}x{smallest_side} pixels."


@says(FactKind.AFTER_ALIGNMENT)
def _after_alignment() -> str:
    return "After this alignment"


@says(FactKind.MOMENTS_UNKNOWN)
def _moments_unknown() -> str:
    return "The frames paired in this way differ, so the numbers may compare different moments."


@says(FactKind.STANDS_STILL)
def _stands_still(*, candidate: bool, share: float) -> str:
    still, other = ("This clip", "the reference's") if candidate else ("The reference", "this clip's")
    return f"{still} does not move: its motion is {share:.2f} of {other}."
