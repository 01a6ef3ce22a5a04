"""Clips that show nothing: named on either side, and never a match."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spacediff.clip import Clip
from spacediff.comparing.contents import faults, sound_warning
from spacediff.comparing.prompt import PromptComparison, compare_prompt
from spacediff.gate.gate import evaluate_gate
from spacediff.metrics import METRICS
from spacediff.record import Fact, FactKind, GateStatus, Role, RunRecord, StepRecord, TraceRecord, Verdict, fact
from spacediff.scenario.scenario import Gate
from spacediff.wording import paragraph
from support.clips import moving_ball
from support.kept_runs import ignore_progress, kept

BALL = moving_ball(4)
BLACK = Clip(np.zeros_like(BALL.frames), BALL.fps)
WHITE = Clip(np.full_like(BALL.frames, 255), BALL.fps)


def coloured(run: RunRecord, clip: Clip) -> RunRecord:
    assert run.clip is not None
    colour = clip.frames[0, 0, 0].tolist() if clip is not BALL else None
    return run.model_copy(update={"clip": run.clip.model_copy(update={"colour": colour})})


def compared(folder: Path, reference: Clip, candidate: Clip, **known: object) -> PromptComparison:
    ours = coloured(kept(folder, "variant", candidate), candidate).model_copy(update=known)
    theirs = coloured(kept(folder, "reference", reference, Role.REFERENCE), reference)
    return compare_prompt(theirs, [ours], folder, METRICS[:2], ignore_progress)


def kinds(evidence: list[Fact]) -> list[tuple[FactKind, object]]:
    return [(each.kind, each.values.get("candidate")) for each in evidence]


@pytest.mark.parametrize(("reference", "candidate"), [(BLACK, BLACK), (BLACK, WHITE)])
def test_two_clips_of_one_colour_are_not_comparable_and_the_gate_does_not_pass(
    reference: Clip, candidate: Clip, tmp_path: Path
) -> None:
    comparisons = compared(tmp_path, reference, candidate).comparisons
    (found,) = comparisons
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert kinds(found.evidence) == [
        (FactKind.ONE_COLOUR, True),
        (FactKind.ONE_COLOUR, False),
        (FactKind.NOTHING_SHOWN, None),
    ]
    gate = evaluate_gate(Gate(variant="variant", max_drift=1), ["p"], comparisons, [])
    assert gate.status is GateStatus.NOT_MEASURED
    assert "a single colour throughout: black" in paragraph(gate.reasons)
    assert evaluate_gate(None, ["p"], comparisons, []).status is GateStatus.NOT_MEASURED


def test_a_black_clip_beside_a_picture_differs_and_is_named_first(tmp_path: Path) -> None:
    for reference, candidate, side in ((BALL, BLACK, True), (BLACK, BALL, False)):
        (found,) = compared(tmp_path, reference, candidate).comparisons
        assert found.verdict is Verdict.DIFFERS
        assert kinds(found.evidence)[0] == (FactKind.ONE_COLOUR, side)


def test_two_equal_pictures_stay_identical(tmp_path: Path) -> None:
    (found,) = compared(tmp_path, BALL, BALL).comparisons
    assert (found.verdict, kinds(found.evidence)) == (Verdict.IDENTICAL, [(FactKind.EVERY_FRAME_EQUAL, None)])


def test_a_censored_clip_matches_nothing_even_where_the_reference_does_not_say_so(tmp_path: Path) -> None:
    (found,) = compared(tmp_path, BALL, BALL, censored=[0, 1, 2, 3]).comparisons
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert "safety checker replaced every picture of this clip" in paragraph(found.evidence)


def test_a_picture_that_is_censored_among_others_is_named_and_the_gate_does_not_pass(tmp_path: Path) -> None:
    comparisons = compared(tmp_path, BALL, BALL, censored=[2]).comparisons
    assert comparisons[0].verdict is Verdict.NOT_COMPARABLE
    gate = evaluate_gate(Gate(variant="variant", max_drift=0), ["p"], comparisons, [])
    assert gate.status is GateStatus.NOT_MEASURED
    assert "replaced picture 2 of this clip (of 4, numbered from 0)" in paragraph(gate.reasons)


def test_latents_that_are_not_finite_are_named_with_the_step(tmp_path: Path) -> None:
    steps = [
        StepRecord(timestep=1.0, guidance=None, digest="d", mean=0, std=1, norm=1, nonfinite=count)
        for count in (0, 0, 5, 5)
    ]
    run = kept(tmp_path, "variant", BALL).model_copy(update={"trace": TraceRecord(steps=steps)})
    assert faults(run, candidate=True) == [fact(FactKind.LATENTS_NOT_FINITE, candidate=True, step=3, steps=4)]


def test_clips_that_were_decoded_to_nan_are_not_identical(tmp_path: Path) -> None:
    trace = TraceRecord(steps=[], decoded_nonfinite=2400)
    (found,) = compared(tmp_path, BALL, BALL, trace=trace).comparisons
    assert found.verdict is Verdict.NOT_COMPARABLE
    assert "The decoder gave 2,400 values of this clip as NaN or infinite" in paragraph(found.evidence)


def test_a_black_seed_fails_its_control_by_that_name(tmp_path: Path) -> None:
    runs = [
        coloured(kept(tmp_path, name, BLACK, role), BLACK)
        for name, role in (("baseline", Role.BASELINE), ("seed-1", Role.SEED))
    ]
    reference = kept(tmp_path, "reference", BALL, Role.REFERENCE)
    control = compare_prompt(reference, runs, tmp_path, METRICS[:2], ignore_progress).controls[-1]
    assert (control.run, control.passed, control.found) == ("seed-1", False, [fact(FactKind.SEED_SHOWS_NOTHING)])


def test_sound_is_said_once_with_the_runs_that_have_it(tmp_path: Path) -> None:
    silent = kept(tmp_path, "baseline", BALL, Role.BASELINE)
    loud = silent.model_copy(update={"name": "reference", "audio": True})
    probe = loud.model_copy(update={"name": "probe", "role": Role.PROBE})
    (warning,) = sound_warning([silent, loud, loud, probe])
    assert "reference has sound, which is not compared" in paragraph([warning])
    assert not sound_warning([silent])
