"""An object of 32x32 pixels that is lost in clips of 480x720: means hide it, the worst tile and the gate do not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from spacediff.clip import Clip
from spacediff.comparing.prompt import compare_prompt
from spacediff.gate.gate import evaluate_gate
from spacediff.metrics import METRICS
from spacediff.record import ComparisonRecord, FactKind, GateStatus, Role, Verdict
from spacediff.scenario.scenario import Gate
from spacediff.wording import sentence
from support.clips import Frames, with_frames
from support.kept_runs import ignore_progress, kept
from support.scenes import scene

FRAMES, HEIGHT, WIDTH = 2, 480, 720
SIDE, X, Y = 32, 300, 200
CONTRAST = 40
PIXEL = tuple(metric for metric in METRICS if metric.name != "lpips")
"""LPIPS is no different in this, and takes long at this size."""


def clip_of(frames: Frames) -> Clip:
    return Clip(frames, 8)  # type: ignore[arg-type]


def without_object(frames: Frames) -> Frames:
    """Take a disc out of the last frame, that is: paint another one where it was."""
    disc = cv2.circle(np.zeros((SIDE, SIDE), np.float32), (SIDE // 2,) * 2, SIDE // 2 - 1, 1.0, -1, cv2.LINE_AA)
    lost = frames.astype(float)
    lost[-1, Y : Y + SIDE, X : X + SIDE] += CONTRAST * disc[..., None]
    return lost.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module", params=[False, True], ids=["lossless", "behind a codec"])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ComparisonRecord:
    folder = tmp_path_factory.mktemp("lost")
    first, *seeds = (clip_of(scene(seed, FRAMES, HEIGHT, WIDTH)) for seed in range(3))
    reference = kept(folder, "reference", first, Role.REFERENCE, hosted=request.param)
    runs = [
        kept(folder, "as-hosted", with_frames(first, without_object(first.frames)), Role.VARIANT),
        kept(folder, "baseline", seeds[0], Role.BASELINE),
        kept(folder, "rerun", seeds[0], Role.RERUN),
        *(kept(folder, f"seed-{number}", clip, Role.SEED) for number, clip in enumerate(seeds)),
    ]
    compared = compare_prompt(reference, runs, folder, PIXEL, ignore_progress)
    return next(each for each in compared.comparisons if each.candidate == "as-hosted")


def test_the_means_hide_a_lost_object_and_the_worst_tile_shows_where_it_was(found: ComparisonRecord) -> None:
    assert found.drift is not None
    assert found.drift < 0.05, "else this tests nothing"
    tile = found.worst_tile
    assert tile is not None
    assert (tile.frame, tile.width, tile.height) == (FRAMES - 1, 16, 16)
    assert X <= tile.x <= X + SIDE - tile.width
    assert Y <= tile.y <= Y + SIDE - tile.height
    assert tile.error == pytest.approx(CONTRAST, rel=0.1)
    assert tile.floor == 0
    assert tile.drift is not None
    assert tile.drift > 0.2


def test_it_passes_no_gate_unless_the_worst_tile_is_not_to_be_judged(found: ComparisonRecord) -> None:
    gate = evaluate_gate(Gate(variant="as-hosted"), ["p"], [found], [])
    assert gate.status is GateStatus.FAILED
    assert [each.kind for each in gate.reasons] == [FactKind.GATE_DRIFT_WITHIN, FactKind.GATE_TILE_ABOVE]
    assert "above the limit of drift 0.05" in sentence(gate.reasons[1])
    assert found.verdict is Verdict.SETTINGS_DIFFER
    for limit in (1.0, "none"):
        loose = Gate.model_validate({"variant": "as-hosted", "max_worst_tile": limit})
        assert evaluate_gate(loose, ["p"], [found], []).status is GateStatus.PASSED
