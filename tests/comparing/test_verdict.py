from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacediff.comparing.verdict import Codec, Findings, Scale, combined_drift, judge
from spacediff.metrics.tiles import Tile
from spacediff.record import FactKind, Verdict, fact, quoted
from spacediff.wording import sentence

POSITIVE = st.floats(0.001, 1000)
SCALE = Scale(0.0, (0.8, 1.0, 1.2))
FINDINGS = Findings(
    equal=False,
    encoded=True,
    processed=(),
    errors={"SSIM": 0.4, "LPIPS": 0.5},
    scales={"SSIM": SCALE, "LPIPS": SCALE},
    codec_errors={"SSIM": 0.05, "LPIPS": 0.04},
    titles={"SSIM": "SSIM", "LPIPS": "LPIPS"},
)
NO_SCALES = dict.fromkeys(("SSIM", "LPIPS"), Scale(None, ()))
NEAR: dict[str, Any] = {"errors": {"SSIM": 0.04, "LPIPS": 0.03}}
"""No metric exceeds the codec's own loss."""
CODEC_WORST = Tile(6.0, 0, 0, 0, 16, 16)
SMALL: dict[str, Any] = {"worst": Tile(6.0, 1, 8, 8, 16, 16), "codec_worst": CODEC_WORST}
LOST_OBJECT: dict[str, Any] = {"worst": Tile(80.0, 1, 8, 8, 16, 16), "codec_worst": CODEC_WORST}
CLOSE_SEEDS = dict.fromkeys(("SSIM", "LPIPS"), Scale(0.0, (0.04, 0.05)))
"""Seeds that differ from each other by less than the codec loses."""
SEEDS_WITHIN_CODEC = {"SSIM": Scale(0.0, (0.049, 0.06)), "LPIPS": SCALE}
"""Seeds that are farther than the clip, and closer than what the codec loses."""
BY_NUMBER = (quoted("the first frames are compared by number"),)
SCALED = (quoted("this clip is scaled down"),)
HALVED = (quoted("every second frame is compared"),)


def test_drift_runs_from_the_floor_to_the_ceiling() -> None:
    scale = Scale(1.0, (4.0, 6.0))
    assert [scale.drift(error) for error in (0.5, 1.0, 3.0, 5.0, 9.0)] == [0, 0, 0.5, 1, 2]


@pytest.mark.parametrize(
    "scale", [Scale(None, (1.0,)), Scale(0.0, ()), Scale(1.0, (0.9, 3.0)), Scale(0.0, (0.0,))], ids=str
)
def test_what_does_not_separate_leaves_no_verdict(scale: Scale) -> None:
    assert scale.drift(0.5) is None


def test_an_undefined_error_has_no_drift() -> None:
    assert SCALE.drift(math.nan) is None


@given(POSITIVE, POSITIVE, POSITIVE)
def test_drift_grows_with_the_error(floor: float, gap: float, more: float) -> None:
    scale = Scale(floor, (floor + gap,))
    assert scale.drift(floor) == 0
    near, far = scale.drift(floor + more), scale.drift(floor + 2 * more)
    assert near is not None
    assert far is not None
    assert near <= far


def test_the_metric_that_sees_most_counts() -> None:
    assert combined_drift(replace(FINDINGS, errors={"SSIM": 0.1, "LPIPS": 0.5})) == pytest.approx(0.5)
    blind = replace(FINDINGS, scales={"SSIM": Scale(None, ()), "LPIPS": SCALE})
    assert combined_drift(blind) == pytest.approx(0.5)
    assert combined_drift(replace(FINDINGS, scales=dict.fromkeys(("SSIM", "LPIPS"), Scale(None, ())))) is None


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"equal": True, "encoded": False}, Verdict.IDENTICAL),
        ({"equal": True}, Verdict.CODEC_ONLY),
        ({"equal": True, "processed": HALVED}, Verdict.POST_PROCESSED),
        ({"processed": HALVED}, Verdict.POST_PROCESSED),
        ({"processed": HALVED, "errors": {"SSIM": 0.9, "LPIPS": 1.5}}, Verdict.DIFFERENT_SAMPLE),
        ({"processed": BY_NUMBER, "timing_known": False}, Verdict.NOT_COMPARABLE),
        ({"processed": BY_NUMBER, "timing_known": False, "scales": NO_SCALES}, Verdict.NOT_COMPARABLE),
        ({"processed": BY_NUMBER, "timing_known": False, "equal": True}, Verdict.POST_PROCESSED),
        (
            {"processed": BY_NUMBER, "timing_known": False, "errors": {"SSIM": 0.9, "LPIPS": 1.5}},
            Verdict.DIFFERENT_SAMPLE,
        ),
        ({"processed": SCALED, "position_known": False}, Verdict.POST_PROCESSED),
        ({"processed": SCALED, "position_known": False, "scales": NO_SCALES}, Verdict.DIFFERS),
        ({"processed": SCALED, "scales": NO_SCALES}, Verdict.POST_PROCESSED),
        (NEAR | SMALL, Verdict.NUMERIC_DRIFT),
        (NEAR | SMALL | {"codec": Codec.EXPORT}, Verdict.NUMERIC_DRIFT),
        (NEAR | LOST_OBJECT, Verdict.SETTINGS_DIFFER),
        (NEAR | LOST_OBJECT | {"scales": NO_SCALES}, Verdict.DIFFERS),
        (NEAR | SMALL | {"scales": NO_SCALES}, Verdict.NUMERIC_DRIFT),
        (NEAR | SMALL | {"scales": CLOSE_SEEDS}, Verdict.DIFFERENT_SAMPLE),
        ({"errors": {"SSIM": 0.04, "LPIPS": 0.3}} | SMALL, Verdict.SETTINGS_DIFFER),
        (NEAR | SMALL | {"scales": SEEDS_WITHIN_CODEC}, Verdict.SETTINGS_DIFFER),
        (NEAR, Verdict.SETTINGS_DIFFER),
        ({"errors": {"SSIM": 0.04, "LPIPS": 0.3}}, Verdict.SETTINGS_DIFFER),
        ({}, Verdict.SETTINGS_DIFFER),
        ({"errors": {"SSIM": 0.79, "LPIPS": 0.7}}, Verdict.SETTINGS_DIFFER),
        ({"errors": {"SSIM": 0.8, "LPIPS": 0.3}}, Verdict.DIFFERENT_SAMPLE),
        ({"errors": {"SSIM": 0.3, "LPIPS": 1.5}}, Verdict.DIFFERENT_SAMPLE),
    ],
)
def test_the_class_follows_from_the_findings(change: dict[str, object], verdict: Verdict) -> None:
    judged, evidence = judge(replace(FINDINGS, **change))  # type: ignore[arg-type]
    assert judged is verdict
    assert evidence


@pytest.mark.parametrize("seeds", [1, 3, 7])
def test_how_often_an_unrelated_sample_is_as_near_is_said(seeds: int) -> None:
    scales = dict.fromkeys(("SSIM", "LPIPS"), Scale(0.0, (1.0,) * seeds))
    verdict, evidence = judge(replace(FINDINGS, scales=scales))
    assert verdict is Verdict.SETTINGS_DIFFER
    assert evidence[0].kind is FactKind.CLOSER_THAN_SEEDS
    assert evidence[0].values["seeds"] == seeds
    assert f"about 1 in {seeds + 1} unrelated samples" in sentence(evidence[0])


@given(st.permutations([0.1, 0.2, 0.3, 0.4]))
def test_one_of_four_exchangeable_seeds_is_nearer_than_the_three_others(errors: list[float]) -> None:
    verdicts = []
    for number, error in enumerate(errors):
        scale = Scale(0.0, tuple(errors[:number] + errors[number + 1 :]))
        verdicts.append(judge(replace(FINDINGS, errors={"SSIM": error}, scales={"SSIM": scale}, codec_errors={}))[0])
    assert sorted(verdicts) == [*[Verdict.DIFFERENT_SAMPLE] * 3, Verdict.SETTINGS_DIFFER]


def test_without_other_seeds_nothing_is_called_a_different_sample() -> None:
    far = replace(FINDINGS, errors={"SSIM": 9.0, "LPIPS": 9.0}, scales=dict.fromkeys(("SSIM", "LPIPS"), Scale(0.0, ())))
    judged, evidence = judge(far)
    assert judged is Verdict.DIFFERS
    assert evidence[0].kind is FactKind.DRIFT_OF_FRAMES_UNKNOWN


def test_the_evidence_names_what_was_done_first() -> None:
    _, evidence = judge(replace(FINDINGS, processed=HALVED))
    assert evidence[0] == HALVED[0]


def test_numeric_drift_is_said_beside_what_the_codec_does() -> None:
    verdict, evidence = judge(replace(FINDINGS, errors={"SSIM": 0.01, "LPIPS": 0.03}, **SMALL))
    assert verdict is Verdict.NUMERIC_DRIFT
    assert [each.values["codec_share"] for each in evidence[2:]] == pytest.approx([0.2, 0.75])


@pytest.mark.parametrize(
    ("codec", "against"),
    [
        (Codec.REFERENCE, "the codec's own loss"),
        (Codec.EXPORT, "no codec lies between"),
        (Codec.STAND_IN, "JPEG at quality 95, which stands in for a codec"),
    ],
)
def test_numeric_drift_says_what_it_is_measured_against(codec: Codec, against: str) -> None:
    verdict, evidence = judge(replace(FINDINGS, codec=codec, **NEAR, **SMALL))
    said = sentence(evidence[0])
    assert verdict is Verdict.NUMERIC_DRIFT
    assert against in said
    assert "differs by 6.00 levels (at (8, 8) in frame 1)" in sentence(evidence[1])


def test_a_lost_object_that_the_means_hide_is_named() -> None:
    _, evidence = judge(replace(FINDINGS, **NEAR, **LOST_OBJECT))
    assert [each.kind for each in evidence[:2]] == [FactKind.CLOSER_THAN_SEEDS, FactKind.WORST_TILE_ABOVE]
    assert "it differs by 80.00 levels (at (8, 8) in frame 1)" in sentence(evidence[1])


def test_a_scale_that_is_missing_is_not_called_one_that_does_not_separate() -> None:
    for scale, expected in (
        (Scale(None, (1.0,)), "a re-run was not measured"),
        (Scale(0.0, ()), "different seeds were not measured"),
        (Scale(2.0, (1.0,)), "do not separate"),
    ):
        _, evidence = judge(replace(FINDINGS, scales=dict.fromkeys(("SSIM", "LPIPS"), scale)))
        assert expected in sentence(evidence[1])
        assert len(evidence) == 2, "said once for both metrics"
    findings = replace(FINDINGS, scales=NO_SCALES)
    assert judge(findings)[1][1:] == [
        fact(FactKind.METRIC_DRIFT_UNKNOWN, metric="", rerun=False, seeds=False, codec_share=None)
    ]
