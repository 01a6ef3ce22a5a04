"""What a comparison proves of itself: its controls, and what it could have seen."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from spacediff.clip import Clip
from spacediff.comparing import pairing
from spacediff.comparing.controls import controls_of_seeds, seeds_not_put_in
from spacediff.comparing.prompt import compare_prompt
from spacediff.metrics import METRICS
from spacediff.metrics.levels import Levels
from spacediff.record import Control, ControlRecord, FactKind, Role, fact
from spacediff.wording import control_name, sentence
from support.clips import moving_ball, with_frames
from support.kept_runs import ignore_progress, kept

CLIP = moving_ball(6)
SEEDS = [moving_ball(6, seed=seed) for seed in (1, 2, 3)]
BASELINE = moving_ball(6, seed=4)


def controls(folder: Path, reference: Clip, *, baseline: Clip, seed: Clip) -> dict[str, ControlRecord]:
    runs = [kept(folder, "baseline", baseline, Role.BASELINE), kept(folder, "seed-1", seed, Role.SEED)]
    compared = compare_prompt(
        kept(folder, "reference", reference, Role.REFERENCE), runs, folder, METRICS[:3], ignore_progress
    )
    return {control_name(control): control for control in compared.controls}


def test_a_seed_that_is_as_near_as_the_codec_fails_its_control(tmp_path: Path) -> None:
    found = controls(tmp_path, CLIP, baseline=BASELINE, seed=CLIP)
    assert {name: control.passed for name, control in found.items()} == {
        "the reference compared with itself": True,
        "a different seed (seed-1)": False,
    }
    assert found["a different seed (seed-1)"].found == [fact(FactKind.VERDICT, verdict="identical")]


def test_a_seed_that_does_nothing_fails_its_control_however_far_the_reference_is(tmp_path: Path) -> None:
    found = controls(tmp_path, CLIP, baseline=SEEDS[0], seed=SEEDS[0])["a different seed (seed-1)"]
    assert not found.passed
    assert found.found == [fact(FactKind.SEED_IGNORED)]


def test_a_seed_is_judged_by_its_aligned_frames(tmp_path: Path) -> None:
    doubled = Clip(CLIP.frames.repeat(2, axis=0), Fraction(16))
    assert not controls(tmp_path, doubled, baseline=BASELINE, seed=CLIP)["a different seed (seed-1)"].passed
    assert controls(tmp_path, doubled, baseline=CLIP, seed=SEEDS[1])["a different seed (seed-1)"].passed


def test_the_rerun_is_a_control_that_is_held_against_the_baseline(tmp_path: Path) -> None:
    def rerun(clip: Clip, *seeds: Clip) -> ControlRecord:
        runs = [kept(tmp_path, "baseline", BASELINE, Role.BASELINE), kept(tmp_path, "rerun", clip, Role.RERUN)]
        runs += [kept(tmp_path, f"seed-{number}", seed, Role.SEED) for number, seed in enumerate(seeds)]
        reference = kept(tmp_path, "reference", CLIP, Role.REFERENCE)
        controls = compare_prompt(reference, runs, tmp_path, METRICS[:2], ignore_progress).controls
        return next(control for control in controls if control.control is Control.RERUN)

    same, near = rerun(BASELINE, SEEDS[0]), rerun(with_frames(BASELINE, BASELINE.frames.astype(int) + 1), SEEDS[0])
    assert (same.found, same.passed) == ([fact(FactKind.RERUN_EQUAL)], True)
    assert near.found[0].kind is FactKind.RERUN_DIFFERS
    assert sentence(near.found[0]).startswith("It differs from the baseline: MAE ")
    assert near.passed
    assert not rerun(SEEDS[1], with_frames(CLIP, CLIP.frames.astype(int) + 3)).passed


def test_seeds_that_could_not_be_compared_are_a_control_that_failed(tmp_path: Path) -> None:
    found = controls(tmp_path, CLIP, baseline=CLIP, seed=moving_ball(6, 96, 64, seed=7))["a different seed"]
    assert not found.passed
    assert found.found == [fact(FactKind.SEEDS_NOT_COMPARED, seeds=1)]


def test_a_script_without_a_place_for_another_seed_has_no_control_of_seeds_but_a_warning(tmp_path: Path) -> None:
    baseline = kept(tmp_path, "baseline", CLIP, Role.BASELINE)
    refused = {
        "source": "script",
        "code": "unsupported-setting",
        "reason": "it passes the noise",
        "hint": "pass a seed",
    }
    seed = kept(tmp_path, "seed-1", CLIP, Role.SEED).model_copy(update={**refused, "clip": None})
    assert controls_of_seeds([baseline, seed], {}) == []
    (said,) = seeds_not_put_in([baseline, seed])
    assert sentence(said) == (
        f"{baseline.prompt}: no other seed could be compared, so no drift is known: it passes the noise."
    )
    for other in ({"source": "diffusers"}, {"code": "out-of-memory"}):
        failed = seed.model_copy(update=other)
        assert seeds_not_put_in([baseline, failed]) == []
        assert [each.passed for each in controls_of_seeds([baseline, failed], {})] == [False]


def test_the_reference_goes_through_every_step_against_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = kept(tmp_path, "reference", CLIP, Role.REFERENCE, hosted=True)
    (control,) = compare_prompt(reference, [], tmp_path, METRICS, ignore_progress).controls
    assert (control.passed, control.found) == (True, [fact(FactKind.VERDICT, verdict="identical")])
    monkeypatch.setattr(pairing, "levels", lambda _: Levels.SQUEEZED)
    (control,) = compare_prompt(reference, [], tmp_path, METRICS, ignore_progress).controls
    assert not control.passed
    assert control.found[:2] == [
        fact(FactKind.VERDICT, verdict="post-processed"),
        fact(FactKind.LEVELS_DIFFER, squeezed=True),
    ]


def test_what_could_have_been_seen_is_said(tmp_path: Path) -> None:
    reference = kept(tmp_path, "reference", CLIP, Role.REFERENCE, hosted=True)
    (resolution,) = compare_prompt(
        reference, [kept(tmp_path, "baseline", CLIP, Role.BASELINE)], tmp_path, METRICS, ignore_progress
    ).resolutions
    assert resolution.levels
    assert resolution.finding.kind is FactKind.PLANTED_DIFFERENCE_SEEN


def test_what_could_have_been_seen_between_two_files_is_said(tmp_path: Path) -> None:
    reference = kept(tmp_path, "reference", CLIP, Role.REFERENCE, hosted=True)
    other = kept(tmp_path, "other", SEEDS[0], hosted=True)
    (resolution,) = compare_prompt(reference, [other], tmp_path, METRICS[:1], ignore_progress).resolutions
    assert resolution.finding == fact(FactKind.NOTHING_ENCODED)
