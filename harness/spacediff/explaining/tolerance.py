"""The tolerance: how much a tile may differ before people see it, measured in the same audit.

The key insight: nobody chooses it. The target's own clip goes through the codec that lies between a generation and its
viewers, and what that does to the worst tile has been accepted by everyone who watches such files.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from spacediff.clip import Frame, probe, read_clip, read_frames
from spacediff.codec import encode_like
from spacediff.codec.stills import StillEncoder
from spacediff.comparing.scores import lossy_encoding
from spacediff.comparing.verdict import Scale
from spacediff.errors import NotMeasuredError
from spacediff.explaining.judging import worst_between
from spacediff.metrics.tiles import Tile, worst_of_clips
from spacediff.plan import AskedTolerance
from spacediff.record import ClipRecord, FactKind, Role, RunRecord, TileRecord, ToleranceRecord, fact

STAND_IN_QUALITY = 95
"""JPEG quality of Pillow, without subsampling of colours: what a picture is usually saved with where losses matter."""


def tolerance_of(
    asked: AskedTolerance, target: RunRecord, reference: RunRecord, runs: Iterable[RunRecord], folder: Path
) -> ToleranceRecord | None:
    """Measure the tolerance of a prompt.

    A drift is placed between a re-run and the different seeds at the worst tile, so it stays a matter of single tiles.

    Args:
        asked: What the scenario asks for.
        target: The run whose clip is to be reproduced.
        reference: The reference's run; if it is a file, its codec is what viewers accept.
        runs: All runs of the prompt; the re-runs and different seeds among them.
        folder: The audit folder.

    Returns:
        The tolerance with what it rests on; the codec's own loss where a drift has no scale, and what a re-run differs
        where a codec loses more than seeds differ. None where the target has no clip.

    Raises:
        NotMeasuredError: A clip cannot be read.
    """
    if target.clip is None:
        return None
    scale = _scale(target.clip, runs, folder)
    if asked.drift is None:
        return _below_seeds(_of_codec(target.clip, reference.clip, folder), scale)
    given = {"drift": asked.drift, "gate": asked.of_gate}
    if scale.floor is None or scale.ceiling is None or min(scale.ceilings) <= scale.floor:
        codec = _below_seeds(_of_codec(target.clip, reference.clip, folder), scale)
        return codec.model_copy(update={"found": [fact(FactKind.TOLERANCE_WITHOUT_SCALE, **given), *codec.found]})
    levels = scale.floor + asked.drift * (scale.ceiling - scale.floor)
    found = fact(FactKind.TOLERANCE_OF_DRIFT, **given, levels=levels, floor=scale.floor, ceiling=scale.ceiling)
    return ToleranceRecord(levels=levels, drift=asked.drift, found=[found])


def _below_seeds(codec: ToleranceRecord, scale: Scale) -> ToleranceRecord:
    """Refuse a codec's loss that even a different seed is within: then only what a re-run differs is unseen."""
    nearest = min(scale.ceilings, default=None)
    if nearest is None or codec.levels < nearest:
        return codec
    above = fact(FactKind.TOLERANCE_ABOVE_SEEDS, levels=codec.levels, nearest=nearest)
    return ToleranceRecord(levels=scale.floor or 0.0, found=[above])


def _scale(target: ClipRecord, runs: Iterable[RunRecord], folder: Path) -> Scale:
    """Return what errors of the worst tile mean: a re-run against the baseline, and the seeds against the target."""
    clips = [(run.role, run.clip) for run in runs if run.clip]
    baseline = next((clip for role, clip in clips if role is Role.BASELINE), None)
    again = [worst_between(baseline, clip, folder) for role, clip in clips if role is Role.RERUN and baseline]
    seeds = [worst_between(target, clip, folder) for role, clip in clips if role is Role.SEED]
    errors = [tile.error for tile in again if tile]
    return Scale(max(errors, default=None), tuple(tile.error for tile in seeds if tile))


# ---- the codec's own loss


def _of_codec(target: ClipRecord, reference: ClipRecord | None, folder: Path) -> ToleranceRecord:
    """Return what the reference's codec does to the target; without one the target's own export, or a stand-in."""
    ways: tuple[tuple[FactKind, Callable[[], Tile | None]], ...] = (
        (FactKind.TOLERANCE_OF_REFERENCE_CODEC, lambda: _loss_of_reference(target, reference, folder)),
        (FactKind.TOLERANCE_OF_EXPORT, lambda: _loss_of_export(target, folder)),
    )
    for kind, measured in ways:
        if tile := measured():
            return _recorded(kind, tile)
    return _recorded(FactKind.TOLERANCE_OF_STAND_IN, _loss_of_stand_in(folder / target.lossless))


def _recorded(kind: FactKind, tile: Tile) -> ToleranceRecord:
    quality = {"quality": STAND_IN_QUALITY} if kind is FactKind.TOLERANCE_OF_STAND_IN else {}
    where = TileRecord(frame=tile.frame, x=tile.x, y=tile.y, width=tile.width, height=tile.height, error=tile.error)
    return ToleranceRecord(levels=tile.error, tile=where, found=[fact(kind, levels=tile.error, **quality)])


def _loss_of_reference(target: ClipRecord, reference: ClipRecord | None, folder: Path) -> Tile | None:
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


def _loss_of_export(target: ClipRecord, folder: Path) -> Tile | None:
    if target.delivered is None or target.medium == "pictures":  # pictures are delivered without a loss
        return None
    return _loss(target, folder / target.delivered, folder)


def _loss(target: ClipRecord, encoded: Path, folder: Path) -> Tile | None:
    """Find the worst tile of a clip once it is encoded; None where the encoder scaled it."""
    found = probe(encoded)
    if (found.height, found.width) != (target.height, target.width):
        return None
    return worst_of_clips(read_frames(folder / target.lossless), read_frames(encoded))


def _loss_of_stand_in(lossless: Path) -> Tile:
    tile = worst_of_clips(read_frames(lossless), _as_jpeg(read_frames(lossless)))
    return tile or Tile(0.0, 0, 0, 0, 0, 0)


def _as_jpeg(frames: Iterable[Frame]) -> Iterator[Frame]:
    import PIL.Image

    encoder = StillEncoder("jpeg", {"quality": STAND_IN_QUALITY, "subsampling": 0})
    for frame in frames:
        yield np.asarray(PIL.Image.open(io.BytesIO(encoder.encode(frame))))
