"""Synthetic truths: clips whose relation to the reference is known, judged behind a host's codec."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacediff.clip import Clip
from spacediff.comparing.prompt import PromptComparison, compare_prompt
from spacediff.metrics import METRICS
from spacediff.record import ComparisonRecord, Role, RunRecord, Verdict
from spacediff.wording import sentences
from support.clips import interpolated, moved, moving_ball, resized, with_frames
from support.fuzzing import examples
from support.kept_runs import ignore_progress, kept

CLIP = moving_ball(6)
BASELINE = moving_ball(6, seed=4)
SEEDS = [moving_ball(6, seed=seed) for seed in (1, 2, 3)]
HELD_OUT = [moving_ball(6, seed=seed) for seed in range(10, 22)]
Made = Callable[[Clip], Clip]


def doubled(clip: Clip) -> Clip:
    return Clip(clip.frames.repeat(2, axis=0), clip.fps * 2)


def smoothed(clip: Clip) -> Clip:
    return Clip(interpolated(clip.frames, 2), clip.fps * 2)


def upscaled(clip: Clip) -> Clip:
    return Clip(resized(clip.frames, 192, 128), clip.fps)


def one_pixel_off(clip: Clip) -> Clip:
    return Clip(moved(clip.frames, 1, 0), clip.fps)


def washed_out(clip: Clip) -> Clip:
    return with_frames(clip, np.rint(16 + clip.frames * (219 / 255)))


def frozen(clip: Clip) -> Clip:
    return Clip(clip.frames[:1].repeat(len(clip.frames), axis=0), clip.fps)


def scale(folder: Path) -> list[RunRecord]:
    runs = [kept(folder, "baseline", BASELINE, Role.BASELINE), kept(folder, "rerun", BASELINE, Role.RERUN)]
    return runs + [kept(folder, f"seed-{number}", clip, Role.SEED) for number, clip in enumerate(SEEDS)]


def judged(folder: Path, hosted: Clip, **candidates: Clip) -> dict[str, ComparisonRecord]:
    """What comes out for candidates beside a baseline and other seeds, against a clip that a Space encoded."""
    reference = kept(folder, "reference", hosted, Role.REFERENCE, hosted=True)
    runs = [*(kept(folder, name, clip) for name, clip in candidates.items()), *scale(folder)]
    compared: PromptComparison = compare_prompt(reference, runs, folder, METRICS, ignore_progress)
    assert all(control.passed for control in compared.controls), compared.controls
    return {each.candidate: each for each in compared.comparisons}


CHANGES: list[tuple[Made, str, list[int]]] = [
    (doubled, "the repeated frames between are left out", [0, 2, 4, 6, 8, 10]),
    (smoothed, "the interpolated frames between are left out", [0, 2, 4, 6, 8, 10]),
    (
        upscaled,
        "is scaled down to 96x64 by area averaging. The pictures confirm this placement to the pixel",
        list(range(6)),
    ),
    (one_pixel_off, "This clip is shifted 1 px", list(range(6))),
    (washed_out, "confuses limited and full range", list(range(6))),
]


@pytest.mark.parametrize(("change", "note", "frames"), CHANGES, ids=[change.__name__ for change, *_ in CHANGES])
def test_what_a_host_did_to_a_clip_is_named_and_undone(
    tmp_path: Path, change: Made, note: str, frames: list[int]
) -> None:
    found = judged(tmp_path, change(CLIP), same=CLIP)
    same = found["same"]
    assert same.verdict is Verdict.POST_PROCESSED
    assert same.frame_map == list(zip(frames, range(6), strict=True))
    assert any(note in said for said in sentences(same.notes))
    assert same.drift is not None
    assert same.drift < 0.1
    assert {found[f"seed-{number}"].verdict for number in range(3)} == {Verdict.DIFFERENT_SAMPLE}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ComparisonRecord]:
    """What comes out for local clips of all kinds against one that a host encoded."""
    changed = {change.__name__: change(CLIP) for change in (*(change for change, *_ in CHANGES), frozen)}
    unrelated = {f"held-out-{number}": clip for number, clip in enumerate(HELD_OUT)}
    return judged(tmp_path_factory.mktemp("local"), CLIP, same=CLIP, **changed, **unrelated)


@pytest.mark.parametrize(("change", "note", "frames"), CHANGES, ids=[change.__name__ for change, *_ in CHANGES])
def test_what_was_done_to_a_local_clip_is_named_and_undone(
    local: dict[str, ComparisonRecord], change: Made, note: str, frames: list[int]
) -> None:
    changed = local[change.__name__]
    assert changed.verdict is Verdict.POST_PROCESSED
    assert changed.frame_map == list(zip(range(6), frames, strict=True))
    assert any(note in said for said in sentences(changed.notes))
    assert changed.drift is not None
    assert changed.drift < 0.1


def test_a_frozen_clip_is_the_same_sample_made_otherwise(local: dict[str, ComparisonRecord]) -> None:
    assert local["same"].verdict is Verdict.CODEC_ONLY
    assert local["frozen"].verdict is Verdict.SETTINGS_DIFFER
    assert local["frozen"].drift is not None
    assert 0.1 < local["frozen"].drift < 0.9
    assert local["frozen"].measures["motion"].ratio == pytest.approx(0, abs=0.05)


def test_seeds_that_define_no_ceiling_come_out_near_it(local: dict[str, ComparisonRecord]) -> None:
    """With three seeds, one of four unrelated samples is expected to be nearer than all of them."""
    held_out = [comparison for name, comparison in local.items() if name.startswith("held-out")]
    drifts = [comparison.drift for comparison in held_out if comparison.drift is not None]
    assert len(drifts) == len(HELD_OUT)
    assert 0.7 < min(drifts) <= max(drifts) < 1.5
    assert {comparison.verdict for comparison in held_out} <= {Verdict.DIFFERENT_SAMPLE, Verdict.SETTINGS_DIFFER}
    assert sum(comparison.verdict is Verdict.DIFFERENT_SAMPLE for comparison in held_out) > len(HELD_OUT) / 2


@settings(max_examples=examples(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**16), size=st.sampled_from([(32, 48), (33, 47), (48, 64)]), frames=st.integers(1, 4))
def test_a_clip_does_not_drift_from_itself(tmp_path: Path, seed: int, size: tuple[int, int], frames: int) -> None:
    random = np.random.default_rng(seed)
    clip, other, another = (
        Clip(random.integers(0, 256, (frames, *size, 3), dtype=np.uint8), Fraction(8)) for _ in range(3)
    )
    reference = kept(tmp_path, "reference", clip, Role.REFERENCE)
    runs = [kept(tmp_path, "same", clip), kept(tmp_path, "seed-1", another, Role.SEED)]
    runs += [kept(tmp_path, name, other, role) for name, role in (("a", Role.BASELINE), ("b", Role.RERUN))]
    same = compare_prompt(reference, runs, tmp_path, METRICS[:3], ignore_progress).comparisons[0]
    assert (same.verdict, same.drift) == (Verdict.IDENTICAL, 0)


@pytest.fixture(scope="module")
def shuffled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunRecord, list[RunRecord]]:
    folder = tmp_path_factory.mktemp("shuffled")
    reference = kept(folder, "reference", CLIP, Role.REFERENCE)
    clips = {"same": CLIP, "frozen": frozen(CLIP), "doubled": doubled(CLIP), "far": HELD_OUT[0]}
    return folder, reference, [*(kept(folder, name, clip) for name, clip in clips.items()), *scale(folder)]


@pytest.mark.slow
@settings(max_examples=examples(6))
@given(data=st.data())
def test_verdicts_do_not_depend_on_the_order_of_runs(
    shuffled: tuple[Path, RunRecord, list[RunRecord]], data: st.DataObject
) -> None:
    folder, reference, runs = shuffled
    order = data.draw(st.permutations(runs))

    def outcomes(runs: list[RunRecord]) -> dict[str, tuple[Verdict, float | None]]:
        compared = compare_prompt(reference, runs, folder, METRICS[:3], ignore_progress).comparisons
        return {each.candidate: (each.verdict, each.drift) for each in compared}

    assert outcomes(order) == outcomes(runs)
