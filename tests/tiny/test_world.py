"""The tiny world's clips match their captions, according to a detector that does not know how they are drawn."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from spacediff.tiny.detector import colours_shown, motion_shown, track
from spacediff.tiny.tokenizer import build_tokenizer
from spacediff.tiny.world import COLOURS, FLOORS, MOTIONS, Scene, Thing, draw_clip, scenes, words
from spacediff.training import sheet

SCENES = list(itertools.islice(scenes(3, held_out=True), 24))
FIRST = [
    next(scene for scene in SCENES if scene.motion == motion) for motion in dict.fromkeys(s.motion for s in SCENES)
]
EACH = [pytest.param(scene, id=scene.caption, marks=() if scene in FIRST else pytest.mark.slow) for scene in SCENES]
"""One scene of each motion; the others in the slow lane."""

OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up"}


def clip_of(scene: Scene, seed: int = 0) -> NDArray[np.uint8]:
    return draw_clip(scene, np.random.default_rng(seed))


def test_a_clip_depends_only_on_scene_and_seed() -> None:
    scene = SCENES[0]
    clip = clip_of(scene)
    assert clip.shape == (17, 64, 96, 3)
    assert clip.dtype == np.uint8
    assert np.array_equal(clip, clip_of(scene))
    assert not np.array_equal(clip, clip_of(scene, 1))


@pytest.mark.parametrize("scene", EACH)
def test_the_detector_confirms_the_caption(scene: Scene) -> None:
    clip = clip_of(scene)
    assert colours_shown(clip, scene)
    assert motion_shown(clip, scene)


@pytest.mark.parametrize("scene", EACH)
def test_the_detector_rejects_a_different_motion(scene: Scene) -> None:
    clip = clip_of(scene)
    assert not motion_shown(clip[::-1], scene)
    assert not motion_shown(clip[:1].repeat(len(clip), axis=0), scene)


@pytest.mark.parametrize("scene", EACH)
def test_the_detector_rejects_a_missing_colour(scene: Scene) -> None:
    first, *others = scene.things
    other = next(colour for colour in COLOURS if colour not in {scene.floor, *(t.colour for t in scene.things)})
    asked = Scene((Thing(other, first.shape), *others), scene.motion, scene.floor)
    assert not colours_shown(clip_of(scene), asked)
    assert not motion_shown(clip_of(scene), asked)


def test_a_floor_in_the_colour_of_the_object_is_not_an_object() -> None:
    clip = np.broadcast_to(np.array(COLOURS["red"], np.uint8), (17, 64, 96, 3))
    assert not colours_shown(clip, Scene((Thing("red", "ball"),), "left", "grey"))
    assert track(clip, "red", "grey").share.min() == 1.0


def test_noise_contains_no_object() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (17, 64, 96, 3), np.uint8)
    assert not any(colours_shown(noise, scene) or motion_shown(noise, scene) for scene in FIRST)


def test_scattered_dots_are_not_an_object() -> None:
    scene = Scene((Thing("red", "ball"),), "left", "grey")
    clip = np.broadcast_to(np.array(FLOORS["grey"], np.uint8), (17, 64, 96, 3)).copy()
    clip[:, 4:60:8, 4:90:8] = COLOURS["red"]
    assert not colours_shown(clip, scene)
    clip[:, 20:40, 20:40] = COLOURS["red"]
    assert colours_shown(clip, scene)


def test_objects_that_separate_or_stop_halfway_do_not_meet() -> None:
    scene = Scene((Thing("red", "ball"), Thing("blue", "box")), "meet", "grey")
    clip = clip_of(scene)
    assert motion_shown(clip, scene)
    assert motion_shown(clip[:, :, ::-1], scene), "from either side"
    assert not motion_shown(clip[::-1, :, ::-1], scene), "they separate"
    halfway = clip[[*range(8), *[8] * 9]]
    assert not motion_shown(halfway, scene), "they stop halfway"


def test_an_object_that_disappears_is_not_shown() -> None:
    scene = Scene((Thing("red", "ball"),), "right", "grey")
    clip = clip_of(scene)
    empty = np.broadcast_to(np.array(FLOORS["grey"], np.uint8), clip.shape)
    gone = np.concatenate([clip[:6], empty[6:]])
    assert not colours_shown(gone, scene)
    assert not motion_shown(gone, scene)


def test_an_object_that_rolls_in_does_not_count_as_appearing() -> None:
    ball = (Thing("red", "ball"),)
    rolls = clip_of(Scene(ball, "left", "grey"))
    empty = np.broadcast_to(np.array(FLOORS["grey"], np.uint8), rolls.shape)
    assert not motion_shown(np.concatenate([empty[:1], rolls[1:]]), Scene(ball, "appear", "grey"))
    assert not motion_shown(np.concatenate([empty[:5], rolls[5:]]), Scene(ball, "appear", "grey"))


def test_held_out_captions_are_not_in_the_training() -> None:
    trained = {scene.caption for scene in itertools.islice(scenes(0, held_out=False), 3000)}
    held_out = {scene.caption for scene in itertools.islice(scenes(0, held_out=True), 300)}
    assert len(trained) > 500
    assert not trained & held_out


def test_every_motion_colour_and_floor_is_in_the_training() -> None:
    some = list(itertools.islice(scenes(0, held_out=False), 500))
    assert {scene.motion for scene in some} == set(MOTIONS)
    assert {thing.colour for scene in some for thing in scene.things} == set(COLOURS)
    assert {scene.floor for scene in some} == set(FLOORS)
    assert all(thing.colour != scene.floor for scene in some for thing in scene.things)


def test_each_word_of_a_caption_is_one_token() -> None:
    tokenizer = build_tokenizer(words())
    for scene in SCENES:
        assert tokenizer.tokenize(scene.caption) == [f"▁{word}" for word in scene.caption.split()]


def test_additional_words_do_not_change_the_other_ids() -> None:
    text = "A hand squeezes half a lemon over a glass bowl, close-up"
    assert build_tokenizer(words())(text).input_ids == build_tokenizer()(text).input_ids


def test_the_sheet_shows_clips_of_every_motion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["sheet", str(tmp_path / "world.png")])
    sheet.main()
    picture = cv2.imread(str(tmp_path / "world.png"))
    assert picture is not None
    assert picture.shape == (len(MOTIONS) * (14 + 64 + 4), 2 * (5 * (96 + 2) + 6), 3)
    first = next(scene for scene in scenes(7, held_out=False) if scene.motion == "left")
    drawn = draw_clip(first, np.random.default_rng([7, 0]))
    assert np.array_equal(picture[14:78, :96, ::-1], drawn[0])
    assert np.array_equal(picture[14:78, 98:194, ::-1], drawn[4])
