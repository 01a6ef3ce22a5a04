"""Clips of another seed or text than the reference's: what cannot be chance is kept, and no other number."""

from __future__ import annotations

from pathlib import Path

import pytest

from spacediff.comparing.floor_and_ceiling import repeats
from spacediff.comparing.prompt import compare_prompt
from spacediff.comparing.requests import of_one_request
from spacediff.gate.gate import evaluate_gate
from spacediff.metrics import METRICS
from spacediff.record import (
    ComparisonRecord,
    Fact,
    FactKind,
    GateStatus,
    InsteadRecord,
    Origin,
    Role,
    RunRecord,
    SettingRecord,
    Verdict,
    fact,
)
from spacediff.scenario.scenario import Gate
from support.clips import moving_ball
from support.kept_runs import ignore_progress, kept

CLIP = moving_ball(6)
OTHER = moving_ball(6, seed=4)
UNKNOWN = fact(FactKind.SEED_USED, prompt="p", asked=42, used=None, why="unknown")
DECLINED = fact(FactKind.SEED_USED, prompt="p", asked=42, used=7, why="declined")
ADOPTED = fact(FactKind.SEED_USED, prompt="p", asked=42, used=7, why="")
REWRITTEN = fact(FactKind.PROMPT_USED, prompt="p", used="other", why="declined")


def with_seed(run: RunRecord, seed: int, **more: object) -> RunRecord:
    setting = SettingRecord(value=seed, origin=Origin.DECLARED)
    return run.model_copy(update={"settings": {"rng.seed": setting}, **more})


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[ComparisonRecord], RunRecord, list[RunRecord]]:
    folder = tmp_path_factory.mktemp("scored")
    reference = kept(folder, "reference", CLIP, Role.REFERENCE)
    runs = [
        with_seed(kept(folder, "baseline", OTHER, Role.BASELINE), 42),
        with_seed(kept(folder, "same", CLIP), 42),
        with_seed(kept(folder, "asked", moving_ball(6, seed=5)), 50, changes={"rng.seed": 50}),
        with_seed(kept(folder, "adopting", moving_ball(6, seed=6)), 7),
    ]
    return compare_prompt(reference, runs, folder, METRICS, ignore_progress).comparisons, reference, runs


@pytest.mark.parametrize(
    ("instead", "without"),
    [
        ([], set()),
        ([ADOPTED], set()),
        ([UNKNOWN], {"baseline", "adopting"}),
        ([DECLINED], {"baseline"}),
        ([REWRITTEN], {"baseline", "asked", "adopting"}),
    ],
)
def test_a_clip_of_another_request_has_no_numbers_unless_it_matches(
    scored: tuple[list[ComparisonRecord], RunRecord, list[RunRecord]], instead: list[Fact], without: set[str]
) -> None:
    found = {each.candidate: each for each in of_one_request(*scored, instead)}
    assert {name for name, each in found.items() if not each.metrics} == without
    for name in without:
        assert (found[name].verdict, found[name].drift) == (Verdict.NOT_MEASURED, None)
        assert found[name].evidence == instead
    assert found["same"].verdict is Verdict.IDENTICAL
    if "baseline" in without:
        gate = evaluate_gate(Gate(variant="baseline"), ["p"], list(found.values()), [])
        assert gate.status is GateStatus.NOT_MEASURED, "it never fails"


@pytest.mark.parametrize(
    ("first", "again", "repeated"),
    [
        (None, None, True),
        (InsteadRecord(seed=7, own_seed=True), InsteadRecord(seed=7, own_seed=True), True),
        (InsteadRecord(seed=7, own_seed=True), InsteadRecord(seed=8, own_seed=True), False),
        (InsteadRecord(seed=7, own_seed=True), None, False),
        (InsteadRecord(own_seed=True), InsteadRecord(own_seed=True), False),
        (InsteadRecord(prompt="a", rewritten=True), InsteadRecord(prompt="b", rewritten=True), False),
        (InsteadRecord(rewritten=True), InsteadRecord(rewritten=True), False),
    ],
)
def test_only_the_same_request_again_is_a_floor(
    first: InsteadRecord | None, again: InsteadRecord | None, *, repeated: bool
) -> None:
    runs = [
        RunRecord(key=name, name=name, role=Role.REPEAT, prompt="p", source="space", measured=True, instead=instead)
        for name, instead in (("reference", first), ("reference-2", again))
    ]
    assert repeats(*runs) is repeated


def test_a_repeat_of_another_seed_raises_no_floor(tmp_path: Path) -> None:
    reference = kept(tmp_path, "reference", CLIP, Role.REFERENCE)
    runs = [
        kept(tmp_path, "baseline", CLIP, Role.BASELINE),
        kept(tmp_path, "rerun", CLIP, Role.RERUN),
        kept(tmp_path, "seed-1", moving_ball(6, seed=9), Role.SEED),
        kept(tmp_path, "reference-2", OTHER, Role.REPEAT).model_copy(
            update={"instead": InsteadRecord(seed=8, own_seed=True)}
        ),
    ]
    found = compare_prompt(reference, runs, tmp_path, METRICS, ignore_progress).comparisons
    assert {each.metrics["mae"].floor for each in found} == {0.0}
    (repeat,) = [each for each in of_one_request(found, reference, runs, []) if each.candidate == "reference-2"]
    assert repeat.evidence == [fact(FactKind.REPEAT_OF_ANOTHER_SEED)]


@pytest.mark.parametrize("hosted", [False, True])
def test_one_frame_against_many_is_not_comparable(tmp_path: Path, *, hosted: bool) -> None:
    reference = kept(tmp_path, "reference", moving_ball(1), Role.REFERENCE, hosted=hosted)
    runs = [kept(tmp_path, "baseline", CLIP, Role.BASELINE), kept(tmp_path, "one", moving_ball(1))]
    many, one = compare_prompt(reference, runs, tmp_path, METRICS, ignore_progress).comparisons
    assert (many.verdict, many.metrics, many.drift) == (Verdict.NOT_COMPARABLE, {}, None)
    assert "1 frame of a video, and this run has 6 frames of a video" in many.evidence[0].values["text"]  # type: ignore[operator]
    assert one.verdict.matches
