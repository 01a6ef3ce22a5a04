"""The tiny world's detector as a semantic measure: a missing object and a missing motion become numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from diffusers.utils import export_to_video
from numpy.typing import NDArray

from spacediff.cli.commands import main
from spacediff.comparing.semantics import open_measure
from spacediff.errors import NotMeasuredError
from spacediff.record import read_record
from spacediff.scenario.tables.semantics import DETECTOR
from spacediff.tiny.agreement import Detector
from spacediff.tiny.world import Scene, Thing, draw_clip

BALL = Thing("red", "ball")
ROLLS = Scene((BALL,), "left", "green")
MEET = Scene((BALL, Thing("blue", "box")), "meet", "grey")


def drawn(scene: Scene, seed: int = 0) -> NDArray[np.uint8]:
    return draw_clip(scene, np.random.default_rng(seed))


def means(clip: NDArray[np.uint8], *texts: str) -> list[float]:
    return [float(value) for value in Detector().measure(iter(clip), texts).scores.mean(axis=0)]


def test_a_scenario_can_name_the_detector() -> None:
    assert isinstance(open_measure(DETECTOR, None), Detector)


def test_a_visible_object_scores_one_and_a_missing_one_zero() -> None:
    assert means(drawn(MEET), MEET.caption, "red ball", "a photo of blue box", "yellow") == [1.0, 1.0, 1.0, 0.0]


def test_half_of_the_objects_give_half_of_the_score() -> None:
    alone = drawn(Scene((BALL,), "left", "grey"))
    assert means(alone, MEET.caption) == [0.5]


def test_the_score_of_a_direction_grows_to_one_only_in_that_direction() -> None:
    clip = drawn(ROLLS)
    scores = Detector().measure(iter(clip), [ROLLS.caption, "to the left", "to the right"]).scores
    assert scores.shape == (17, 3)
    left = scores[:, 1]
    assert left[0] == 0.0
    assert left[-1] == 1.0
    assert (np.diff(left) >= 0).all()
    assert (scores[:, 2] == 0).all()
    np.testing.assert_allclose(scores[:, 0], (1 + left) / 2)  # the ball is there throughout


def test_a_static_clip_scores_zero_for_a_direction() -> None:
    still = drawn(ROLLS)[:1].repeat(17, axis=0)
    assert means(still, ROLLS.caption, "to the left") == [0.5, 0.0]


def test_the_floor_is_not_an_object_of_its_colour() -> None:
    floor = drawn(Scene((BALL,), "up", "green"))
    assert means(floor, "a green box rises over a green floor") == [0.0]


def test_a_larger_clip_has_the_same_scores() -> None:
    clip = drawn(ROLLS)
    twice = clip.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(means(twice, ROLLS.caption), means(clip, ROLLS.caption), atol=0.01)


def test_a_text_without_a_known_object_is_an_error() -> None:
    with pytest.raises(NotMeasuredError, match="nothing to look for in “a hand”") as caught:
        means(drawn(ROLLS), ROLLS.caption, "a hand")
    assert "red, yellow" in caught.value.hint


def test_a_clip_without_frames_has_no_scores() -> None:
    assert Detector().measure(iter(()), [ROLLS.caption]).scores.shape == (0, 1)


def test_a_comparison_shows_which_clip_misses_an_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The question of the README, with clips whose content is known."""
    full = drawn(MEET)
    alone = drawn(Scene((BALL,), "left", "grey"))
    for name, frames in (("space", full), ("mine", alone)):
        export_to_video([*frames / 255.0], str(tmp_path / f"{name}.mp4"), fps=8)
    sides = [str(tmp_path / f"{name}.mp4") for name in ("space", "mine")]
    asked = ["--semantics", DETECTOR, "--part", "blue box", "--part", "red ball", "--part", "to the left"]
    assert main(["compare", *sides, "--out", str(tmp_path / "out"), *asked]) == 0
    (found,) = read_record(tmp_path / "out").semantics
    assert found.measured, found.reason
    of_parts = {text.part: {clip.run: clip.mean for clip in text.clips} for text in found.texts}
    reference, candidate = of_parts["blue box"]
    assert of_parts["blue box"] == {reference: 1.0, candidate: 0.0}
    assert of_parts["red ball"] == {reference: 1.0, candidate: 1.0}
    assert "blue box: 1.000 in" in " ".join(capsys.readouterr().out.split())
