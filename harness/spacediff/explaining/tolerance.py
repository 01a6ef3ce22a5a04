"""The tolerance: how much a tile may differ before people see it, measured in the same audit.

The key insight: nobody chooses it. The target's own clip goes through the codec that lies between a generation and its
viewers, and what that does to the worst tile has been accepted by everyone who watches such files.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from spacediff.clip import probe, read_clip, read_frames
from spacediff.codec import encode_like
from spacediff.codec.stand_in import STAND_IN_QUALITY, through_stand_in
from spacediff.comparing.scores import lossy_encoding
from spacediff.comparing.verdict import Scale
from spacediff.errors import NotMeasuredError
from spacediff.explaining.judging import difference_between
from spacediff.metrics.tiles import ClipDifference, Tile, difference_of_clips
from spacediff.plan import AskedTolerance
from spacediff.record import ClipRecord, FactKind, Role, RunRecord, TileRecord, ToleranceRecord, fact


def tolerance_of(
    asked: AskedTolerance, target: RunRecord, reference: RunRecord, runs: Iterable[RunRecord], folder: Path
) -> ToleranceRecord | None:
    """Measure the tolerance of a prompt.

    A drift is placed between a re-run and the different seeds at the worst tile, so it stays a matter of single tiles;
    a drift of 0 is what a re-run differs, and nothing where none was measured.

    Args:
        asked: What the scenario asks for.
        target: The run whose clip is to be reproduced.
        reference: The reference's run; if it is a file, its codec is what viewers accept.
        runs: All runs of the prompt; the re-runs and different seeds among them.
        folder: The audit folder.

    Returns:
        The tolerance with what it rests on; the codec's own loss where a drift has no scale, and what a re-run differs
        where that is more, or where a codec loses more than seeds differ. None where the target has no clip.

    Raises:
        NotMeasuredError: A clip cannot be read.
    """
    if target.clip is None:
        return None
    scale = _measured_scale(target.clip, runs, folder)
    if asked.drift is None:
        return _of_codec(target.clip, reference.clip, scale, folder)
    given = {"drift": asked.drift, "gate": asked.of_gate}
    tiles = Scale(scale.floor, tuple(seed.worst.error for seed in scale.seeds))
    if asked.drift == 0:
        return _of_rerun(scale).model_copy(update={"drift": 0.0})
    if tiles.floor is None or tiles.ceiling is None or min(tiles.ceilings) <= tiles.floor:
        codec = _of_codec(target.clip, reference.clip, scale, folder)
        return codec.model_copy(update={"found": [fact(FactKind.TOLERANCE_WITHOUT_SCALE, **given), *codec.found]})
    levels = tiles.floor + asked.drift * (tiles.ceiling - tiles.floor)
    found = fact(FactKind.TOLERANCE_OF_DRIFT, **given, levels=levels, floor=tiles.floor, ceiling=tiles.ceiling)
    return ToleranceRecord(levels=levels, drift=asked.drift, found=[found])


@dataclass(frozen=True)
class _MeasuredScale:
    """What a re-run differs in its worst tile, and how each different seed differs.

    The first is None where there is no re-run, or none that is closer than each seed: a program that ignores its seed
    gives another sample each time, which is no measure of what goes unseen.
    """

    floor: float | None
    seeds: tuple[ClipDifference, ...]


def _measured_scale(target: ClipRecord, runs: Iterable[RunRecord], folder: Path) -> _MeasuredScale:
    """Compare the re-runs with the baseline, and the different seeds with the target."""
    clips = [(run.role, run.clip) for run in runs if run.clip]
    baseline = next((clip for role, clip in clips if role is Role.BASELINE), None)
    again = [difference_between(baseline, clip, folder) for role, clip in clips if role is Role.RERUN and baseline]
    seeds = [difference_between(target, clip, folder) for role, clip in clips if role is Role.SEED]
    reruns, others = ([each for each in found if each] for found in (again, seeds))
    floor = max((each.worst.error for each in reruns), default=None)
    return _MeasuredScale(None if _as_far(reruns, others) else floor, tuple(others))


def _as_far(reruns: Sequence[ClipDifference], seeds: Sequence[ClipDifference]) -> bool:
    """Whether a re-run differs, and by no less than a different seed: in the worst tile, or on the average."""
    pairs = [(again, seed) for again in reruns if again.worst.error for seed in seeds]
    return any(again.worst.error >= seed.worst.error or again.mean >= seed.mean for again, seed in pairs)


def _of_rerun(scale: _MeasuredScale) -> ToleranceRecord:
    levels = scale.floor or 0.0
    found = fact(FactKind.TOLERANCE_OF_RERUN, levels=levels, measured=scale.floor is not None)
    return ToleranceRecord(levels=levels, found=[found])


# ---- the codec's own loss


def _of_codec(target: ClipRecord, reference: ClipRecord | None, scale: _MeasuredScale, folder: Path) -> ToleranceRecord:
    """Return what the codec does to the target, unless a re-run differs by more or a different seed is within that."""
    kind, loss = _codec_loss(target, reference, folder)
    pairs = (
        (False, loss.worst.error, min((seed.worst.error for seed in scale.seeds), default=None)),
        (True, loss.mean, min((seed.mean for seed in scale.seeds), default=None)),
    )
    for mean, levels, nearest in pairs:
        if nearest is not None and levels >= nearest:
            above = fact(FactKind.TOLERANCE_ABOVE_SEEDS, levels=levels, nearest=nearest, mean=mean)
            rerun = _of_rerun(scale)
            return rerun.model_copy(update={"found": [above, *rerun.found]})
    if scale.floor is not None and scale.floor > loss.worst.error:
        return _of_rerun(scale)
    quality = {"quality": STAND_IN_QUALITY} if kind is FactKind.TOLERANCE_OF_STAND_IN else {}
    found = fact(kind, levels=loss.worst.error, **quality)
    return ToleranceRecord(levels=loss.worst.error, tile=TileRecord(**asdict(loss.worst)), found=[found])


def _codec_loss(target: ClipRecord, reference: ClipRecord | None, folder: Path) -> tuple[FactKind, ClipDifference]:
    """Encode the target as the reference's file was; without one take its own export, else a stand-in."""
    if loss := _loss_of_reference(target, reference, folder):
        return FactKind.TOLERANCE_OF_REFERENCE_CODEC, loss
    if loss := _loss_of_export(target, folder):
        return FactKind.TOLERANCE_OF_EXPORT, loss
    return FactKind.TOLERANCE_OF_STAND_IN, _loss_of_stand_in(folder / target.lossless)


def _loss_of_reference(target: ClipRecord, reference: ClipRecord | None, folder: Path) -> ClipDifference | None:
    encoding = lossy_encoding(folder / reference.original) if reference and reference.original else None
    if encoding is None:
        return None
    with tempfile.TemporaryDirectory() as place:
        encoded = Path(place) / f"encoded{encoding.suffix}"
        try:
            encode_like(read_clip(folder / target.lossless), encoding, encoded)
        except NotMeasuredError:
            return None  # there is no such encoder here
        return _loss(target, encoded, folder)


def _loss_of_export(target: ClipRecord, folder: Path) -> ClipDifference | None:
    if target.delivered is None or target.medium == "pictures":  # pictures are delivered without a loss
        return None
    return _loss(target, folder / target.delivered, folder)


def _loss(target: ClipRecord, encoded: Path, folder: Path) -> ClipDifference | None:
    """Find the worst tile of a clip once it is encoded; None where the encoder scaled it."""
    found = probe(encoded)
    if (found.height, found.width) != (target.height, target.width):
        return None
    return difference_of_clips(read_frames(folder / target.lossless), read_frames(encoded))


def _loss_of_stand_in(lossless: Path) -> ClipDifference:
    loss = difference_of_clips(read_frames(lossless), through_stand_in(read_frames(lossless)))
    return loss or ClipDifference(Tile(0.0, 0, 0, 0, 0, 0), 0.0)
