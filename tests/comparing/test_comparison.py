"""Comparisons over real files, with the runs' records written by hand."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Literal

import cv2
import imageio.v2 as imageio
import imageio_ffmpeg
import numpy as np
import pandas as pd
import pytest

from spacediff.clip import Clip, read_clip
from spacediff.codec import export_to_video
from spacediff.comparing import pairing
from spacediff.comparing import scores as of_scores
from spacediff.comparing.pairing import Pair, Side, paired
from spacediff.comparing.prompt import compare_prompt
from spacediff.errors import NotMeasuredError
from spacediff.metrics import METRICS
from spacediff.metrics.alignment import FrameSource
from spacediff.record import ComparisonRecord, FactKind, Role, RunRecord, Verdict, fact, quoted
from spacediff.wording import sentence
from support.clips import moving_ball, with_frames
from support.kept_runs import ignore_progress, kept

CLIP = moving_ball(6)
SEEDS = [moving_ball(6, seed=seed) for seed in (1, 2, 3)]
BASELINE = moving_ball(6, seed=4)


def compare(
    folder: Path,
    candidates: dict[str, Clip],
    *,
    hosted: bool = True,
    seeds: Sequence[Clip] = SEEDS,
    medium: Literal["video", "pictures"] = "video",
) -> dict[str, ComparisonRecord]:
    reference = kept(folder, "reference", CLIP, Role.REFERENCE, hosted=hosted)
    runs = [kept(folder, name, clip) for name, clip in candidates.items()]
    runs += [kept(folder, "baseline", BASELINE, Role.BASELINE), kept(folder, "rerun", BASELINE, Role.RERUN)]
    runs += [kept(folder, f"seed-{number}", clip, Role.SEED) for number, clip in enumerate(seeds)]
    reference, *runs = (
        run.model_copy(update={"clip": run.clip.model_copy(update={"medium": medium})})
        for run in (reference, *runs)
        if run.clip
    )
    compared = compare_prompt(reference, runs, folder, METRICS, ignore_progress)
    assert [each.candidate for each in compared.comparisons] == [run.name for run in runs]
    assert all(control.passed for control in compared.controls), compared.controls
    return {each.candidate: each for each in compared.comparisons}


def nudged(levels: int) -> Clip:
    return with_frames(CLIP, CLIP.frames.astype(int) + levels)


def brighter(frames: slice, rows: slice, columns: slice, levels: int) -> Clip:
    changed = CLIP.frames.astype(int)
    changed[frames, rows, columns] += levels
    return with_frames(CLIP, changed)


def noisy_corner() -> Clip:
    frames = CLIP.frames.copy()
    frames[3, :16, :16] = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    return Clip(frames, CLIP.fps)


CANDIDATES = {
    "same": CLIP,
    "one frame": brighter(slice(4, 5), slice(8, 40), slice(8, 60), 50),
    "noisy corner": noisy_corner(),
    "nudged": brighter(slice(None), slice(None, None, 9), slice(None, None, 9), 1),
    "object": brighter(slice(4, 5), slice(20, 36), slice(30, 46), 25),
    "short": Clip(CLIP.frames[:4], CLIP.fps),
    "doubled": Clip(CLIP.frames.repeat(2, axis=0), Fraction(16)),
    "washed": with_frames(CLIP, np.rint(16 + CLIP.frames * (219 / 255))),
    "frozen": Clip(CLIP.frames[:1].repeat(6, axis=0), CLIP.fps),
    "fast": dataclasses.replace(CLIP, fps=Fraction(16)),
    "tall": moving_ball(6, 96, 64, seed=7),
}


Compared = dict[str, ComparisonRecord]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compared")


@pytest.fixture(scope="module")
def found(folder: Path) -> Compared:
    """All candidates against the clip, without a codec. None depends on which others stand beside it."""
    return compare(folder, CANDIDATES, hosted=False)


@pytest.fixture(scope="module")
def behind_codec(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Compared]:
    """Candidates against the clip as a host encoded it."""
    folder = tmp_path_factory.mktemp("hosted")
    return folder, compare(folder, {"same": CLIP, "near": nudged(30)})


def test_a_clip_against_its_own_encoding_is_codec_only(behind_codec: tuple[Path, Compared]) -> None:
    found = behind_codec[1]["same"]
    assert found.verdict is Verdict.CODEC_ONLY
    assert found.identical
    assert found.drift == 0
    assert {name: metric.pooled for name, metric in found.metrics.items()} == {
        "mae": 0,
        "psnr": float("inf"),
        "ssim": 1,
        "lpips": 0,
    }


@pytest.mark.parametrize("by_rgb", [False, True])
def test_a_file_that_is_the_other_one_encoded_again_is_codec_only(tmp_path: Path, by_rgb: bool) -> None:  # noqa: FBT001 - a case
    once = kept(tmp_path, "once", CLIP, hosted=True)
    other, run = kept(tmp_path, "other", SEEDS[0], hosted=True), kept(tmp_path, "again", CLIP, hosted=True)
    decoded = read_clip(tmp_path / "once.mp4")
    if by_rgb:
        export_to_video(decoded, tmp_path / "again.mp4", quality=3)
    else:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-i", str(tmp_path / "once.mp4")]
        subprocess.run([*command, "-c:v", "libx264", "-crf", "30", str(tmp_path / "again.mp4")], check=True)
    written = read_clip(tmp_path / "again.mp4")
    assert run.clip
    assert (written.frames != decoded.frames).any()
    again = run.model_copy(update={"clip": run.clip.model_copy(update={"digest": written.digest})})
    for reference, candidate, from_candidate in (
        (once, again, False),
        (again, once, True),
        (once, other, None),
    ):
        (found,) = compare_prompt(reference, [candidate], tmp_path, METRICS[:1], ignore_progress).comparisons
        if from_candidate is None:
            assert found.verdict is Verdict.DIFFERS, found.evidence
        else:
            assert found.verdict is Verdict.CODEC_ONLY, found.evidence
            assert found.evidence == [fact(FactKind.ENCODED_AGAIN, reference_from_candidate=from_candidate)]
        assert found.metrics["mae"].pooled > 0


def test_without_a_codec_the_same_clip_is_identical(found: Compared) -> None:
    assert found["same"].verdict is Verdict.IDENTICAL


def test_one_changed_frame_is_found(found: Compared) -> None:
    changed = found["one frame"]
    assert not changed.identical
    assert {metric.worst_frame for metric in changed.metrics.values()} == {4}
    assert changed.per_frame["mae"][3] == 0 < changed.per_frame["mae"][4]
    assert changed.drift is not None
    assert 0 < changed.drift < 1


def test_a_map_tells_where_in_which_frame_clips_differ(found: Compared, folder: Path) -> None:
    assert found["same"].map is None
    heat = found["noisy corner"].map
    assert heat is not None
    levels = cv2.imread(str(folder / heat.file), cv2.IMREAD_UNCHANGED)
    assert levels is not None
    tiles = levels.reshape(len(CLIP.frames), heat.rows, heat.columns)
    assert [n for n, tile in enumerate(tiles) if tile.min() < 255] == [3]
    assert tiles[3, : heat.rows // 8, : heat.columns // 8].max() < 128
    assert tiles[3, heat.rows // 2 :].min() == 255


def test_a_difference_below_the_codecs_own_is_numeric_drift(found: Compared) -> None:
    nudged = found["nudged"]
    assert nudged.verdict is Verdict.NUMERIC_DRIFT
    for metric in nudged.metrics.values():
        assert metric.codec is not None
        assert metric.drift is not None
        assert metric.codec_drift is not None
        assert metric.drift <= metric.codec_drift
    assert nudged.metrics["psnr"].codec is not None
    assert 20 < nudged.metrics["psnr"].codec < nudged.metrics["psnr"].pooled


def test_an_object_that_the_means_hide_is_no_numeric_drift(found: Compared) -> None:
    lost = found["object"]
    for metric in lost.metrics.values():
        assert metric.drift is not None
        assert metric.codec_drift is not None
        assert metric.drift <= metric.codec_drift, "every mean is within the codec's own loss"
    assert lost.verdict is Verdict.SETTINGS_DIFFER
    tile = lost.worst_tile
    assert tile is not None
    assert (tile.error, tile.frame, tile.x, tile.y, tile.floor) == (25.0, 4, 30, 20, 0.0)
    assert tile.codec is not None
    assert tile.ceiling_spread is not None
    assert tile.codec < tile.error < min(tile.ceiling_spread)
    assert found["same"].worst_tile is None
    (said,) = [sentence(each) for each in lost.evidence if each.kind is FactKind.WORST_TILE_ABOVE]
    assert "it differs by 25.00 levels (at (30, 20) in frame 4)" in said
    assert [each.kind for each in found["nudged"].evidence[:2]] == [
        FactKind.WITHIN_EXPORT_LOSS,
        FactKind.WORST_TILE_WITHIN,
    ], "its twin, without a codec between"


def test_a_rounding_difference_of_pictures_is_compared_with_a_stand_in_that_is_named(tmp_path: Path) -> None:
    lost = brighter(slice(4, 5), slice(20, 36), slice(30, 46), 25)
    candidates = {"nudged": CANDIDATES["nudged"], "object": lost}
    found = compare(tmp_path, candidates, hosted=False, medium="pictures")
    assert found["nudged"].verdict is Verdict.NUMERIC_DRIFT
    assert found["nudged"].evidence[0] == fact(FactKind.WITHIN_STAND_IN_LOSS, quality=95)
    assert found["nudged"].metrics["mae"].codec is None, "no codec was used"
    assert found["object"].verdict is Verdict.SETTINGS_DIFFER


def test_what_is_no_closer_than_a_seed_is_another_sample_however_little_that_is(tmp_path: Path) -> None:
    nearby = [brighter(slice(None), slice(first, None, 9), slice(first, None, 9), 1) for first in (1, 2, 3)]
    found = compare(tmp_path, {"nudged": CANDIDATES["nudged"]}, hosted=False, seeds=nearby)
    assert found["nudged"].verdict is Verdict.DIFFERENT_SAMPLE
    assert found["nudged"].metrics["mae"].pooled < 0.02


def test_what_the_codec_path_could_not_repeat_is_reported(tmp_path: Path) -> None:
    reference = kept(tmp_path, "reference", CLIP, Role.REFERENCE, hosted=True)
    silent = tmp_path / "reference.webm"
    imageio.mimwrite(silent, list(CLIP.frames), fps=8, codec="libvpx-vp9")
    assert reference.clip is not None
    silenced = reference.clip.model_copy(update={"original": silent.name})
    reference = reference.model_copy(update={"clip": silenced})
    found = compare_prompt(reference, [kept(tmp_path, "same", CLIP)], tmp_path, METRICS, ignore_progress).comparisons[0]
    assert found.codec_exact is False
    assert found.notes == [fact(FactKind.NOT_ENCODED_EXACTLY, fact(FactKind.ENCODING_UNSAID, codec="vp9"))]


def test_every_number_stands_on_its_scale(behind_codec: tuple[Path, Compared]) -> None:
    metric = behind_codec[1]["near"].metrics["ssim"]
    assert metric.floor == 1
    assert metric.ceiling is not None
    assert metric.ceiling_spread is not None
    assert min(metric.ceiling_spread) <= metric.ceiling <= max(metric.ceiling_spread) < metric.pooled < 1
    assert metric.drift == pytest.approx((1 - metric.pooled) / (1 - metric.ceiling))


def test_a_cut_clip_is_post_processed_and_the_mapping_is_said(found: Compared) -> None:
    short = found["short"]
    assert short.frame_map == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert short.notes
    assert not short.identical
    assert short.verdict is Verdict.POST_PROCESSED


def test_an_unrelated_clip_of_another_length_is_not_comparable(tmp_path: Path) -> None:
    other = moving_ball(5, seed=9)
    reference = kept(tmp_path, "reference", CLIP, Role.REFERENCE)
    (found,) = compare_prompt(
        reference, [kept(tmp_path, "other", other)], tmp_path, METRICS, ignore_progress
    ).comparisons
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert found.evidence[0].kind is FactKind.PAIRED_BY_NUMBER
    assert found.evidence[-1] == fact(FactKind.MOMENTS_UNKNOWN)


def test_an_unrelated_clip_of_another_size_differs(tmp_path: Path) -> None:
    other = moving_ball(6, 128, 192, seed=9)
    reference = kept(tmp_path, "reference", CLIP, Role.REFERENCE)
    (found,) = compare_prompt(
        reference, [kept(tmp_path, "other", other)], tmp_path, METRICS, ignore_progress
    ).comparisons
    assert found.verdict is Verdict.DIFFERS, found.evidence


def test_doubled_frames_are_held_against_their_originals(found: Compared) -> None:
    doubled = found["doubled"]
    assert [reference for reference, _ in doubled.frame_map] == list(range(6))
    assert doubled.verdict is Verdict.POST_PROCESSED
    assert doubled.drift == 0


def test_a_shifted_picture_is_found_and_moved_back(tmp_path: Path) -> None:
    wide = moving_ball(6, 96, 128)
    reference = kept(tmp_path, "reference", Clip(wide.frames[:, :-2, :-3].copy(), wide.fps), Role.REFERENCE)
    shifted = kept(tmp_path, "shifted", Clip(wide.frames[:, 2:, 3:].copy(), wide.fps))
    (found,) = compare_prompt(reference, [shifted], tmp_path, METRICS, ignore_progress).comparisons
    assert found.verdict is Verdict.POST_PROCESSED
    assert found.metrics["mae"].pooled == 0
    assert fact(FactKind.SHIFTED, right=-3, down=-2) in found.notes


def test_a_range_mix_up_is_found_and_undone(found: Compared) -> None:
    washed = found["washed"]
    assert washed.verdict is Verdict.POST_PROCESSED
    assert fact(FactKind.LEVELS_DIFFER, squeezed=True) in washed.notes
    assert washed.metrics["mae"].pooled < 2


def test_a_frozen_clip_has_no_motion(found: Compared) -> None:
    motion = found["frozen"].measures["motion"]
    assert motion.candidate == 0 < motion.reference
    assert found["same"].measures["motion"].ratio == 1
    assert found["frozen"].evidence[-1] == fact(FactKind.STANDS_STILL, candidate=True, share=0.0)
    assert FactKind.STANDS_STILL not in {each.kind for each in found["same"].evidence}
    diverging = found["frozen"].first_divergence
    assert diverging is not None
    assert diverging.beyond_floor == 1


def test_another_rate_is_said(found: Compared) -> None:
    assert found["fast"].notes == [fact(FactKind.RATES_DIFFER, reference=8.0, candidate=16.0)]


def test_another_shape_is_not_comparable(found: Compared) -> None:
    assert found["tall"].verdict is Verdict.NOT_COMPARABLE
    assert "64x96" in sentence(found["tall"].evidence[0])
    assert found["same"].verdict is Verdict.IDENTICAL


def test_a_size_that_the_export_rounds_up_is_rounded_up_here_too(tmp_path: Path) -> None:
    clip = moving_ball(4, 72, 104)
    reference = kept(tmp_path, "reference", clip, Role.REFERENCE, hosted=True)
    assert reference.clip is not None
    assert (reference.clip.width, reference.clip.height) == (112, 80)
    (found,) = compare_prompt(reference, [kept(tmp_path, "same", clip)], tmp_path, METRICS, ignore_progress).comparisons
    assert found.verdict is Verdict.CODEC_ONLY, found.evidence


def test_the_baseline_as_reference_has_a_scale(tmp_path: Path) -> None:
    reference = kept(tmp_path, "baseline", CLIP, Role.BASELINE)
    runs = [kept(tmp_path, "near", nudged(30)), kept(tmp_path, "rerun", CLIP, Role.RERUN)]
    runs += [kept(tmp_path, f"seed-{number}", clip, Role.SEED) for number, clip in enumerate(SEEDS)]
    found = compare_prompt(reference, runs, tmp_path, METRICS, ignore_progress).comparisons[0]
    assert found.drift is not None
    assert 0 < found.drift < 1


def test_a_host_that_disagrees_with_itself_raises_the_floor(tmp_path: Path) -> None:
    reference = kept(tmp_path, "reference", CLIP, Role.REFERENCE, hosted=True)
    other = kept(tmp_path, "reference-2", nudged(12), Role.REPEAT, hosted=True)
    runs = [kept(tmp_path, "baseline", CLIP, Role.BASELINE), kept(tmp_path, "rerun", CLIP, Role.RERUN)]
    runs += [kept(tmp_path, "near", nudged(8))]
    runs += [kept(tmp_path, f"seed-{number}", clip, Role.SEED) for number, clip in enumerate(SEEDS)]
    alone = {
        c.candidate: c for c in compare_prompt(reference, runs, tmp_path, METRICS[:1], ignore_progress).comparisons
    }
    asked_twice = {
        c.candidate: c
        for c in compare_prompt(reference, [*runs, other], tmp_path, METRICS[:1], ignore_progress).comparisons
    }
    assert alone["near"].metrics["mae"].drift
    assert asked_twice["near"].metrics["mae"].drift == 0
    assert asked_twice["near"].metrics["mae"].floor == pytest.approx(asked_twice["reference-2"].metrics["mae"].pooled)


def test_an_answer_from_a_cache_is_no_repeat_of_the_reference(tmp_path: Path) -> None:
    reference = kept(tmp_path, "reference", CLIP, Role.REFERENCE)
    other = kept(tmp_path, "reference-2", CLIP, Role.REPEAT)
    runs = [kept(tmp_path, "near", nudged(8)), kept(tmp_path, "seed-1", SEEDS[0], Role.SEED)]
    for used_cache, floor in (("no", 0.0), ("full", None)):
        repeat = other.model_copy(update={"used_cache": used_cache})
        found = compare_prompt(reference, [*runs, repeat], tmp_path, METRICS[:1], ignore_progress).comparisons
        assert found[0].metrics["mae"].floor == floor
        kinds = [each.kind for each in found[-1].evidence]
        assert (FactKind.SPACE_REPEAT_CACHED in kinds) is (floor is None)


def test_clips_part_where_no_frame_of_a_repeat_is_as_far(tmp_path: Path) -> None:
    """The host disagrees with itself in one frame; a mean over its frames would make the others part at once."""
    once, late = CLIP.frames.astype(int), CLIP.frames.astype(int)
    once[2] += 12
    late += 4
    late[4:] += 30
    other = kept(tmp_path, "reference-2", with_frames(CLIP, once), Role.REPEAT)
    runs = [other, kept(tmp_path, "late", with_frames(CLIP, late))]
    runs += [kept(tmp_path, f"seed-{number}", clip, Role.SEED) for number, clip in enumerate(SEEDS)]
    reference = kept(tmp_path, "reference", CLIP, Role.REFERENCE)
    diverging = compare_prompt(reference, runs, tmp_path, METRICS[:1], ignore_progress).comparisons[1].first_divergence
    assert diverging is not None
    assert diverging.beyond_floor == 4


def test_a_metric_that_small_frames_have_not_is_reported(tmp_path: Path) -> None:
    small = moving_ball(2, 24, 48)
    reference = kept(tmp_path, "reference", small, Role.REFERENCE)
    (found,) = compare_prompt(
        reference, [kept(tmp_path, "same", small)], tmp_path, METRICS, ignore_progress
    ).comparisons
    assert found.verdict is Verdict.IDENTICAL
    assert set(found.metrics) == {"mae", "psnr", "ssim"}
    assert found.notes == [fact(FactKind.METRIC_UNDEFINED, metric="LPIPS", smallest_side=32)]


def test_a_host_whose_options_take_too_long_holds_up_no_audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairing, "MAX_SECONDS", 0.0)
    reference = kept(tmp_path, "reference", CLIP, Role.REFERENCE, hosted=True)
    runs = [kept(tmp_path, "baseline", CLIP, Role.BASELINE), kept(tmp_path, "far", SEEDS[0])]
    compared = compare_prompt(reference, [*runs, kept(tmp_path, "again", CLIP)], tmp_path, METRICS, ignore_progress)
    verdicts = {each.candidate: each.verdict for each in compared.comparisons}
    assert verdicts["far"] is Verdict.NOT_MEASURED
    assert verdicts["baseline"] is verdicts["again"] is Verdict.CODEC_ONLY
    assert "took longer than 0 s" in sentence(compared.comparisons[1].evidence[0])
    assert "took longer than 0 s" in sentence(compared.resolutions[0].finding)


def test_what_is_missing_is_not_measured(tmp_path: Path) -> None:
    gone = RunRecord(
        key="k", name="gone", role=Role.VARIANT, prompt="p", source="diffusers", measured=False, reason="no GPU"
    )
    reference = kept(tmp_path, "reference", CLIP, Role.REFERENCE)
    (found,) = compare_prompt(reference, [gone], tmp_path, METRICS, ignore_progress).comparisons
    assert (found.verdict, found.evidence) == (Verdict.NOT_MEASURED, [quoted("no GPU")])
    (found,) = compare_prompt(gone, [reference], tmp_path, METRICS, ignore_progress).comparisons
    assert found.verdict is Verdict.NOT_MEASURED
    assert found.evidence == [fact(FactKind.NO_REFERENCE, quoted("no GPU"))]


def test_the_worst_frame_is_named_by_its_number_in_the_reference(tmp_path: Path) -> None:
    frames = CLIP.frames.astype(int)
    frames[4, 8:40, 8:60] += 50
    reference = Clip(CLIP.frames.repeat(2, axis=0), Fraction(16))
    runs = [kept(tmp_path, "changed", with_frames(CLIP, frames))]
    (found,) = compare_prompt(
        kept(tmp_path, "reference", reference, Role.REFERENCE), runs, tmp_path, METRICS, ignore_progress
    ).comparisons
    assert found.frame_map[4] == (8, 4)
    assert {metric.worst_frame for metric in found.metrics.values()} == {8}
    table = pd.read_csv(tmp_path / found.frames_csv)
    assert list(zip(table["reference_frame"], table["candidate_frame"], strict=True)) == found.frame_map


def test_an_error_with_one_clip_costs_no_other_its_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(reference: Side, candidate: Side, looked: FrameSource) -> Pair:
        if candidate.run.name == "odd":
            raise KeyError(5)
        return paired(reference, candidate, looked)

    monkeypatch.setattr(of_scores, "paired", breaking)
    found = compare(tmp_path, {"odd": nudged(3), "same": CLIP}, hosted=False)
    assert found["same"].verdict is Verdict.IDENTICAL
    assert found["odd"].verdict is Verdict.NOT_MEASURED
    assert found["odd"].evidence == [fact(FactKind.COMPARING_FAILED, quoted("KeyError: 5"))]


def test_an_error_with_all_clips_of_a_prompt_is_their_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(*_: object, **__: object) -> None:
        raise NotMeasuredError("the weights are damaged")

    monkeypatch.setattr(of_scores, "measure_clips", breaking)
    reference = kept(tmp_path, "reference", CLIP, Role.REFERENCE)
    (found,) = compare_prompt(reference, [kept(tmp_path, "same", CLIP)], tmp_path, METRICS, ignore_progress).comparisons
    assert (found.verdict, found.evidence) == (Verdict.NOT_MEASURED, [quoted("the weights are damaged")])


def test_without_a_rerun_drift_is_unknown(tmp_path: Path) -> None:
    reference = kept(tmp_path, "reference", CLIP, Role.REFERENCE)
    (found,) = compare_prompt(
        reference, [kept(tmp_path, "near", nudged(30))], tmp_path, METRICS, ignore_progress
    ).comparisons
    assert found.drift is None
    assert found.metrics["ssim"].floor is None


def test_the_table_is_written(behind_codec: tuple[Path, Compared]) -> None:
    folder, compared = behind_codec
    found = compared["near"]
    table = pd.read_csv(folder / found.frames_csv)
    assert list(table.columns) == ["reference_frame", "candidate_frame", "mae", "psnr", "ssim", "lpips"]
    assert np.allclose(table["ssim"], found.per_frame["ssim"])
    assert len(table) == 6
