"""What counts as a difference that people see: measured on real files, and placed on the audit's scale."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from skimage.io import imread

from spacediff.clip import Clip, read_frames, write_lossless
from spacediff.codec import export_to_video
from spacediff.explaining.judging import Judge
from spacediff.explaining.tolerance import tolerance_of
from spacediff.metrics.tiles import worst_of_clips
from spacediff.plan import AskedTolerance
from spacediff.record import ClipRecord, FactKind, Role, RunRecord, ToleranceRecord, fact
from spacediff.wording import tolerance_sentences
from support.clips import Frames, moving_ball

SCENE = moving_ball(5, 96, 144).frames
CODEC = AskedTolerance()


def made(folder: Path, name: str, frames: Frames, role: Role = Role.VARIANT, *, delivered: float = 0) -> RunRecord:
    """Record a clip; with `delivered`, also what a script exports of it at that quality."""
    clip = Clip(frames, Fraction(8))
    write_lossless(clip, folder / f"{name}.mkv")
    if delivered:
        export_to_video(clip, folder / f"{name}.mp4", quality=delivered)
    there = ClipRecord(
        lossless=f"{name}.mkv", preview="", delivered=f"{name}.mp4" if delivered else None, digest=clip.digest,
        frames=len(frames), width=frames.shape[2], height=frames.shape[1], fps=8,
    )  # fmt: skip
    return RunRecord(key="", name=name, role=role, prompt="p", source="diffusers", measured=True, clip=there)


def hosted(folder: Path, quality: float) -> RunRecord:
    """Record a reference that is a file."""
    run = made(folder, "hosted", SCENE, Role.REFERENCE)
    export_to_video(Clip(SCENE, Fraction(8)), folder / "hosted.mp4", quality=quality)
    assert run.clip
    return run.model_copy(update={"clip": run.clip.model_copy(update={"original": "hosted.mp4"})})


def measured(
    folder: Path,
    target: RunRecord,
    reference: RunRecord,
    asked: AskedTolerance = CODEC,
    runs: tuple[RunRecord, ...] = (),
) -> ToleranceRecord:
    found = tolerance_of(asked, target, reference, runs, folder)
    assert found
    return found


def loss(file: Path) -> float:
    tile = worst_of_clips(SCENE, read_frames(file))
    assert tile
    return tile.error


def test_it_is_the_loss_of_the_targets_own_export_where_the_reference_is_no_file(tmp_path: Path) -> None:
    target = made(tmp_path, "target", SCENE, delivered=5)
    found = measured(tmp_path, target, target)
    assert [each.kind for each in found.found] == [FactKind.TOLERANCE_OF_EXPORT]
    assert found.levels == loss(tmp_path / "target.mp4") > 0
    assert found.tile
    assert found.tile.error == found.levels
    rough = made(tmp_path, "rough", SCENE, delivered=1)
    assert measured(tmp_path, rough, rough).levels > found.levels


def test_the_references_codec_is_repeated_on_the_target(tmp_path: Path) -> None:
    target = made(tmp_path, "target", SCENE, delivered=9)
    found = measured(tmp_path, target, hosted(tmp_path, 2))
    assert [each.kind for each in found.found] == [FactKind.TOLERANCE_OF_REFERENCE_CODEC]
    assert found.levels == loss(tmp_path / "hosted.mp4") > loss(tmp_path / "target.mp4")


@pytest.mark.parametrize("height", [96, 90])
def test_a_stand_in_is_named_where_no_codec_lies_between_or_the_encoder_scales(tmp_path: Path, height: int) -> None:
    target = made(tmp_path, "target", SCENE[:, :height], delivered=0 if height == 96 else 5)
    found = measured(tmp_path, target, target)
    assert [each.kind for each in found.found] == [FactKind.TOLERANCE_OF_STAND_IN]
    assert 0 < found.levels < loss_of_peer(tmp_path, SCENE[:, :height]) + 0.5
    assert "JPEG at quality 95" in " ".join(tolerance_sentences(found))


def loss_of_peer(folder: Path, frames: Frames) -> float:
    """The same loss by Pillow's files as scikit-image reads them."""
    import PIL.Image

    tiles = []
    for frame in frames:
        PIL.Image.fromarray(frame).save(folder / "peer.jpg", quality=95, subsampling=0)
        tiles.append(worst_of_clips([frame], [imread(folder / "peer.jpg")]))
    return max(tile.error for tile in tiles if tile)


def test_a_drift_is_placed_between_a_rerun_and_the_seeds_at_the_worst_tile(tmp_path: Path) -> None:
    grey = np.full((2, 32, 32, 3), 100, np.uint8)
    target, baseline = made(tmp_path, "target", grey + 10), made(tmp_path, "baseline", grey, Role.BASELINE)
    runs = (baseline, made(tmp_path, "rerun", grey + 2, Role.RERUN),
            *(made(tmp_path, f"seed-{by}", grey + 10 + by, Role.SEED) for by in (40, 60)))  # fmt: skip
    found = measured(tmp_path, target, target, AskedTolerance(0.25, of_gate=True), runs)
    assert found.levels == 2 + 0.25 * (50 - 2)
    assert "drift 0.25, the limit of the gate" in " ".join(tolerance_sentences(found))
    assert measured(tmp_path, target, target, AskedTolerance(0.0), runs).levels == 2
    judge = Judge(target, tmp_path, found.levels)
    assert judge(made(tmp_path, "near", grey + 24)).within
    assert not judge(made(tmp_path, "far", grey + 25)).within


@pytest.mark.parametrize(
    ("rerun", "seeds", "limit"),
    [(4, (40, 60), 4), (4, (), 4), (0, (40, 60), None), (50, (40, 60), None), (40, (40, 60), None)],
)
def test_what_a_rerun_differs_is_within_unless_a_seed_is_no_farther(
    tmp_path: Path, rerun: int, seeds: tuple[int, ...], limit: int | None
) -> None:
    """A program that ignores its seed gives another sample each time, which is no measure of what goes unseen."""
    grey = np.full((2, 32, 32, 3), 100, np.uint8)
    target, baseline = made(tmp_path, "target", grey + 10), made(tmp_path, "baseline", grey, Role.BASELINE)
    runs = (baseline, made(tmp_path, "rerun", grey + rerun, Role.RERUN),
            *(made(tmp_path, f"seed-{by}", grey + 10 + by, Role.SEED) for by in seeds))  # fmt: skip
    found = measured(tmp_path, target, target, runs=runs)
    kind = FactKind.TOLERANCE_OF_STAND_IN if limit is None else FactKind.TOLERANCE_OF_RERUN
    assert [each.kind for each in found.found] == [kind]
    judge = Judge(target, tmp_path, found.levels)
    assert judge(made(tmp_path, "near", grey + 14)).within is (limit is not None)
    assert judge(made(tmp_path, "far", grey + 15)).within is False


def test_a_rerun_with_one_farther_tile_is_no_measure_where_a_seed_is_closer_on_the_average(tmp_path: Path) -> None:
    grey = np.full((2, 32, 32, 3), 100, np.uint8)
    one_tile = grey.copy()
    one_tile[:, :16, :16] += 40
    target = made(tmp_path, "target", grey)
    runs = (made(tmp_path, "baseline", grey, Role.BASELINE), made(tmp_path, "rerun", grey + 30, Role.RERUN),
            made(tmp_path, "seed", one_tile, Role.SEED))  # fmt: skip
    assert measured(tmp_path, target, target, runs=runs).levels < 30


def test_without_seeds_a_drift_is_not_applied_and_the_codecs_loss_is_named(tmp_path: Path) -> None:
    target = made(tmp_path, "target", SCENE, delivered=5)
    again = (made(tmp_path, "baseline", SCENE, Role.BASELINE), made(tmp_path, "rerun", SCENE, Role.RERUN))
    found = measured(tmp_path, target, target, AskedTolerance(0.05), again)
    assert [each.kind for each in found.found] == [FactKind.TOLERANCE_WITHOUT_SCALE, FactKind.TOLERANCE_OF_EXPORT]
    assert found.levels == loss(tmp_path / "target.mp4")


def test_a_drift_of_zero_needs_no_scale(tmp_path: Path) -> None:
    target, baseline = made(tmp_path, "target", SCENE), made(tmp_path, "baseline", SCENE, Role.BASELINE)
    exact = AskedTolerance(0.0)
    alone = measured(tmp_path, target, target, exact)
    assert (alone.levels, alone.found) == (0, [fact(FactKind.TOLERANCE_OF_RERUN, levels=0.0, measured=False)])
    assert "only equal clips count as the same, since no re-run gives a measure" in " ".join(tolerance_sentences(alone))
    again = made(tmp_path, "rerun", (SCENE // 2 * 2).astype(np.uint8), Role.RERUN)
    found = measured(tmp_path, target, target, exact, (baseline, again))
    assert 0 < found.levels <= 1
    assert "what a re-run differs" in " ".join(tolerance_sentences(found))


@pytest.mark.parametrize(("by", "within"), [(2, True), (60, False)])
def test_a_loss_that_a_different_seed_is_within_is_no_tolerance(tmp_path: Path, *, by: int, within: bool) -> None:
    target = made(tmp_path, "target", SCENE, delivered=5)
    other = np.where(SCENE < 128, SCENE + by, SCENE - by).astype(np.uint8)
    runs = (made(tmp_path, "baseline", SCENE, Role.BASELINE), made(tmp_path, "rerun", SCENE, Role.RERUN),
            made(tmp_path, "seed", other, Role.SEED))  # fmt: skip
    assert loss(tmp_path / "target.mp4") > 2
    found = measured(tmp_path, target, target, runs=runs)
    kinds = [FactKind.TOLERANCE_ABOVE_SEEDS, FactKind.TOLERANCE_OF_RERUN]
    assert [each.kind for each in found.found] == (kinds if within else [FactKind.TOLERANCE_OF_EXPORT])
    assert found.levels == (0 if within else loss(tmp_path / "target.mp4"))


def test_a_seed_is_within_a_loss_also_where_one_tile_of_it_is_farther(tmp_path: Path) -> None:
    target = made(tmp_path, "target", SCENE, delivered=1)
    near = SCENE.copy()
    near[:, :16, :16] = 255 - near[:, :16, :16]
    runs = (made(tmp_path, "seed", near, Role.SEED),)
    (above, _) = measured(tmp_path, target, target, runs=runs).found
    assert (above.kind, above.values["mean"]) == (FactKind.TOLERANCE_ABOVE_SEEDS, True)


def test_a_target_without_a_clip_has_no_tolerance(tmp_path: Path) -> None:
    target = made(tmp_path, "target", SCENE)
    assert tolerance_of(CODEC, target.model_copy(update={"clip": None}), target, (), tmp_path) is None
